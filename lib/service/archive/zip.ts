/** Unpacks zip archives. */
import { isUtf8 } from 'node:buffer';
import yauzl from 'yauzl';
import { DualAnoDiffError } from '../../core/errors.js';
import { checkingCrc } from '../../wheels/unpack.js';
import { type ArchiveTarget, invalidArchive } from './archive-target.js';

/** The kind of file that Unix writes into an entry. 0 stands for systems that write none. */
const kindOf = ({ externalFileAttributes }: yauzl.Entry): number => externalFileAttributes >>> 28;
const [NO_KIND, FOLDER, FILE] = [0, 0o4, 0o10];

/** The number of the field of an entry that has its name in UTF-8 beside the name in another encoding. */
const UNICODE_NAME = 0x7075;

/** macOS writes names in UTF-8 without saying so. Text of the encoding that counts then is hardly ever valid in UTF-8. */
function nameOf({ fileName, fileNameRaw, extraFields }: yauzl.Entry): string {
  const hasOther = extraFields.some(({ id }) => id === UNICODE_NAME);
  return isUtf8(fileNameRaw) && !hasOther ? fileNameRaw.toString('utf8') : fileName;
}

async function unpackEntry(zip: yauzl.ZipFile, entry: yauzl.Entry, target: ArchiveTarget): Promise<void> {
  target.count();
  const name = nameOf(entry);
  if (![NO_KIND, FOLDER, FILE].includes(kindOf(entry))) {
    throw invalidArchive(`${JSON.stringify(name)} is a link or a device, and only files and folders are taken`);
  }
  if (entry.isEncrypted()) throw invalidArchive(`${JSON.stringify(name)} is encrypted`);
  if (name.endsWith('/')) return;
  await target.write(name, entry.uncompressedSize, async () => {
    const checked = checkingCrc(name, entry.crc32);
    const stream = await zip.openReadStreamPromise(entry);
    stream.on('error', (error) => checked.destroy(error));
    return stream.pipe(checked);
  });
}

/** Unpacks a zip file. Throws ERR_ARCHIVE_INVALID and ERR_TOO_LARGE. */
export async function unpackZip(file: string, target: ArchiveTarget): Promise<void> {
  try {
    const zip = await yauzl.openPromise(file, { lazyEntries: true, validateEntrySizes: true, strictFileNames: true });
    try {
      for await (const entry of zip.eachEntry()) await unpackEntry(zip, entry, target);
    } finally {
      zip.close();
    }
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    const isOther = cause instanceof DualAnoDiffError || /^E[A-Z]+$/.test(code); // Such as a full disk.
    throw isOther ? cause : invalidArchive(message, { cause });
  }
}
