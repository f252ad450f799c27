import { createWriteStream } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';
import { LibtorchError } from '../errors.js';

/** Unpacks the entries of a zip that `wanted` accepts. yauzl refuses names that leave the folder. */
export function unpackZip(file: string, folder: string, wanted: (name: string) => boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    yauzl.open(file, { lazyEntries: true, autoClose: true }, (openError, zip) => {
      if (openError)
        return reject(new LibtorchError(`${file} is not a zip: ${openError.message}`, 'ERR_LIBTORCH_DOWNLOAD'));
      let count = 0;
      zip.on('error', reject);
      zip.on('end', () => resolve(count));
      zip.on('entry', (entry: yauzl.Entry) => {
        if (entry.fileName.endsWith('/') || !wanted(entry.fileName)) return zip.readEntry();
        zip.openReadStream(entry, (streamError, stream) => {
          if (streamError) return reject(streamError);
          const target = join(folder, entry.fileName);
          mkdir(dirname(target), { recursive: true })
            .then(() => pipeline(stream, createWriteStream(target)))
            .then(() => chmod(target, 0o755))
            .then(() => {
              count++;
              zip.readEntry();
            })
            .catch(reject);
        });
      });
      zip.readEntry();
    });
  });
}
