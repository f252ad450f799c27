/** Archives of strangers: what is unpacked, and what is refused. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Parser } from 'tar';
import { describe, expect, it, vi } from 'vitest';
import { unpackArchive } from '../../lib/service/archive/unpack.js';
import { expectFailure } from '../helpers/failures.js';
import { scratchFolder } from '../helpers/scratch.js';
import { type TarEntry, tarOf } from '../helpers/tar.js';
import { type ZipEntry, zipOf } from '../helpers/zip.js';

const scratch = scratchFolder();
const LIMITS = { archiveBytes: 1e6, unpackedBytes: 1e6, entries: 20 };
let count = 0;

/** Unpacks an archive. Nothing may appear beside the folder, whatever happens. */
async function unpack(archive: Buffer, limits = LIMITS) {
  const folder = join(scratch, `${count++}`);
  mkdirSync(join(folder, 'content'), { recursive: true });
  writeFileSync(join(folder, 'archive'), archive);
  try {
    const unpacked = await unpackArchive(join(folder, 'archive'), join(folder, 'content'), limits);
    return { ...unpacked, folder: join(folder, 'content') };
  } finally {
    expect(readdirSync(folder).sort()).toEqual(['archive', 'content']);
    expect(existsSync('/tmp/dualanodiff-escaped')).toBe(false);
  }
}

/** A tar archive whose second header has a wrong sum, behind a file that is still being written when that is found. */
function withDamagedHeader(): Buffer {
  const content = randomBytes(20_480);
  const archive = tarOf([
    { name: 'test/a.png', content },
    { name: 'test/b.png', content: 'x' },
  ]);
  archive.write('X', 512 + content.length); // The first letter of the second name.
  return archive;
}

describe('unpackArchive', () => {
  const files = { 'train/good/a.png': 'good', 'test/crack/b ü.png': 'crack' };

  it.each([
    ['tar', ['-cf']],
    ['tar with gzip', ['-czf']],
    ['tar of the format pax', ['--format=pax', '-cf']],
  ])('unpacks what the program tar writes: %s', async (_, flags) => {
    const source = join(scratch, `source-${count++}`);
    const long = `${'long-name-'.repeat(20)}.png`;
    for (const [path, text] of Object.entries({ ...files, [`test/crack/${long}`]: 'long' })) {
      mkdirSync(join(source, path, '..'), { recursive: true });
      writeFileSync(join(source, path), text);
    }
    writeFileSync(join(source, '.DS_Store'), 'hidden');
    execFileSync('tar', [...flags, join(scratch, 'own.tar'), '-C', source, '.']);
    const unpacked = await unpack(readFileSync(join(scratch, 'own.tar')));
    expect(unpacked).toMatchObject({ files: 3, bytes: 13, leftOut: 1 });
    for (const [path, text] of Object.entries(files)) {
      expect(readFileSync(join(unpacked.folder, path), 'utf8')).toBe(text);
    }
    expect(readFileSync(join(unpacked.folder, 'test/crack', long), 'utf8')).toBe('long');
  });

  it.each([
    ['UTF-8 without the flag, as macOS writes it', Buffer.from('test/u\u0308/ä.png'), 'test/ü/ä.png'],
    ['CP437, as old programs of DOS and Windows write it', Buffer.from('test/\x81/\x84.png', 'latin1'), 'test/ü/ä.png'],
  ])('reads names of zip files in %s', async (_, name, path) => {
    const unpacked = await unpack(zipOf([{ name, text: 'x' }]));
    expect(readFileSync(join(unpacked.folder, path), 'utf8')).toBe('x');
  });

  it('refuses names of tar files that are not in UTF-8', async () => {
    const archive = tarOf([{ name: 'test/XX.png', content: 'x' }]);
    archive.set([0xe4, 0xfc], 5); // The sum of the header is mended below.
    const sum = archive.subarray(0, 512).reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
    archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    await expectFailure(unpack(archive), 'ERR_ARCHIVE_INVALID', 'is a name that is not in UTF-8');
  });

  it('has written everything that it writes when a compressed archive breaks off', async () => {
    const entries = Array.from({ length: 15 }, (_, i) => ({ name: `test/${i}/a.png`, content: randomBytes(30_000) }));
    const whole = gzipSync(tarOf(entries));
    for (const archive of [whole.subarray(0, -300), Buffer.concat([whole, Buffer.from('rubbish'.repeat(99))])]) {
      const folder = join(scratch, `${count++}`);
      mkdirSync(join(folder, 'content'), { recursive: true });
      writeFileSync(join(folder, 'archive'), archive);
      const failure = unpackArchive(join(folder, 'archive'), join(folder, 'content'), LIMITS);
      await expectFailure(failure, 'ERR_ARCHIVE_INVALID', 'The archive cannot be used');
      const left = readdirSync(folder, { recursive: true });
      await wait(100);
      expect(readdirSync(folder, { recursive: true })).toEqual(left);
    }
  });

  it('unpacks what Python writes as zip', async () => {
    const source = join(scratch, `source-${count++}`);
    for (const [path, text] of Object.entries({ ...files, '__MACOSX/._a.png': 'hidden' })) {
      mkdirSync(join(source, path, '..'), { recursive: true });
      writeFileSync(join(source, path), text);
    }
    const names = ['train', 'test', '__MACOSX'].map((name) => join(source, name));
    execFileSync('python3', ['-m', 'zipfile', '-c', join(scratch, 'own.zip'), ...names]);
    const unpacked = await unpack(readFileSync(join(scratch, 'own.zip')));
    expect(unpacked).toMatchObject({ files: 2, bytes: 9, leftOut: 1 });
    expect(readFileSync(join(unpacked.folder, 'test/crack/b ü.png'), 'utf8')).toBe('crack');
  });

  it.each<[string, TarEntry[], string]>([
    ['a path out of the folder', [{ name: '../../escaped.png', content: 'x' }], 'leads out of the archive'],
    ['a path out of the folder in the middle', [{ name: 'a/../../escaped.png', content: 'x' }], 'leads out'],
    ['an absolute path', [{ name: '/tmp/dualanodiff-escaped', content: 'x' }], 'is an absolute path'],
    ['a path of Windows', [{ name: 'C:/a.png', content: 'x' }], 'is an absolute path'],
    ['a backslash', [{ name: '..\\a.png', content: 'x' }], 'backslash'],
    ['a control character', [{ name: 'a\nb.png', content: 'x' }], 'control character'],
    ['a symbolic link', [{ name: 'a', type: '2', link: '/etc/passwd' }], 'is a SymbolicLink'],
    [
      'a file below a symbolic link',
      [
        { name: 'a', type: '2', link: '/tmp' },
        { name: 'a/dualanodiff-escaped', content: 'x' },
      ],
      'is a SymbolicLink',
    ],
    ['a hard link', [{ name: 'a', type: '1', link: '/etc/passwd' }], 'is a Link'],
    ['a device', [{ name: 'a', type: '3' }], 'is a CharacterDevice'],
    ['a pipe', [{ name: 'a', type: '6' }], 'is a FIFO'],
    [
      'a file twice',
      [
        { name: 'a.png', content: 'x' },
        { name: './a.png', content: 'y' },
      ],
      'holds a.png twice',
    ],
    [
      'a file below a file',
      [
        { name: 'a.png', content: 'x' },
        { name: 'a.png/b.png', content: 'y' },
      ],
      'as a file and as a folder',
    ],
    ['a deep path', [{ name: `${'a/'.repeat(20)}b.png`, content: 'x' }], 'is too long'],
    ['an end that is missing', [{ name: 'a.png', content: 'x', size: 5000 }], 'The archive cannot be used'],
    ['folders alone', [{ name: 'a/', type: '5' }], 'it holds no files'],
  ])('refuses a tar archive with %s', async (_, entries, message) => {
    await expectFailure(unpack(tarOf(entries)), 'ERR_ARCHIVE_INVALID', message);
  });

  it.each<[string, ZipEntry[], string]>([
    ['a path out of the folder', [{ name: '../escaped.png', text: 'x' }], '../escaped.png'],
    ['an absolute path', [{ name: '/tmp/dualanodiff-escaped', text: 'x' }], 'absolute path'],
    ['a backslash', [{ name: 'a\\..\\b.png', text: 'x' }], 'invalid characters'],
    ['a symbolic link', [{ name: 'a', text: '/etc/passwd', mode: 0o120777 }], 'is a link or a device'],
    ['a damaged file', [{ name: 'a.png', text: 'x', crc: 1 }], 'wrong CRC-32'],
    [
      'a file twice',
      [
        { name: 'a.png', text: 'x' },
        { name: 'a.png', text: 'y' },
      ],
      'twice',
    ],
  ])('refuses a zip archive with %s', async (_, entries, message) => {
    await expectFailure(unpack(zipOf(entries)), 'ERR_ARCHIVE_INVALID', message);
  });

  it.each([
    ['nothing', Buffer.alloc(0), 'it is empty'],
    ['text', Buffer.from('<!doctype html>'.repeat(100)), 'The archive cannot be used'],
    [
      'half of a gzip file',
      gzipSync(tarOf([{ name: 'a', content: 'x'.repeat(99) }])).subarray(0, 60),
      'cannot be used',
    ],
    ['half of a zip file', zipOf([{ name: 'a', text: 'x' }]).subarray(0, 20), 'The archive cannot be used'],
    ['a damaged header behind a whole file', gzipSync(withDamagedHeader()), 'The archive cannot be used'],
    ['a double compression', gzipSync(gzipSync(tarOf([{ name: 'a', content: 'x' }]))), 'it is compressed twice'],
  ])('refuses %s', async (_, bytes, message) => {
    await expectFailure(unpack(bytes), 'ERR_ARCHIVE_INVALID', message);
  });

  it('takes a tar archive whose first name begins like a zip archive', async () => {
    expect(await unpack(tarOf([{ name: 'PKG/a.png', content: 'x' }]))).toMatchObject({ files: 1, bytes: 1 });
  });

  it.each([
    ['bzip2', ['-cjf']],
    ['xz', ['-cJf']],
  ])('says that it reads no %s', async (name, flags) => {
    const file = join(scratch, `other-${count++}`);
    execFileSync('tar', [...flags, file, '-C', scratch, '--files-from', '/dev/null']);
    const message = `The archive cannot be used: ${name} is not read: send tar, tar with gzip, or zip`;
    await expectFailure(unpack(readFileSync(file)), 'ERR_ARCHIVE_INVALID', message);
  });

  it('refuses a double compression that begins with a single byte', async () => {
    const inner = gzipSync(tarOf([{ name: 'a', content: 'x' }]));
    const [first, second] = [gzipSync(inner.subarray(0, 1)), gzipSync(inner.subarray(1))];
    // The longest extra field of a gzip header moves the second part into another chunk of the file.
    second.writeUInt8(4, 3);
    const padding = Buffer.concat([Buffer.from([0xff, 0xff]), Buffer.alloc(0xffff)]);
    const archive = Buffer.concat([first, second.subarray(0, 10), padding, second.subarray(10)]);
    await expectFailure(unpack(archive), 'ERR_ARCHIVE_INVALID', 'it is compressed twice');
  });

  it('closes the file that it was writing when the archive broke off', async () => {
    const archive = gzipSync(tarOf([{ name: 'a', content: randomBytes(500_000) }])).subarray(0, 250_000);
    const openFiles = () => readdirSync('/proc/self/fd').length;
    await expectFailure(unpack(archive), 'ERR_ARCHIVE_INVALID');
    const before = openFiles();
    for (let i = 0; i < 5; i++) await expectFailure(unpack(archive), 'ERR_ARCHIVE_INVALID');
    expect(openFiles()).toBeLessThan(before + 5);
  });

  it('refuses more bytes than its limit, whatever the archive claims', async () => {
    const limits = { ...LIMITS, unpackedBytes: 5000 };
    const zeros = { name: 'a.png', content: Buffer.alloc(6000) };
    await expectFailure(unpack(tarOf([zeros]), limits), 'ERR_TOO_LARGE', '5000 bytes');
    await expectFailure(unpack(gzipSync(tarOf([zeros])), limits), 'ERR_TOO_LARGE', '5000 bytes');
    await expectFailure(unpack(zipOf([{ name: 'a', text: zeros.content }]), limits), 'ERR_TOO_LARGE', '5000 bytes');
    const many = [1, 2, 3].map((i) => ({ name: `${i}.png`, content: Buffer.alloc(2000) }));
    await expectFailure(unpack(tarOf(many), limits), 'ERR_TOO_LARGE', '5000 bytes');
  });

  it('refuses a small archive that grows without end', async () => {
    // The zeros behind the end of a tar archive are no entries, but they have to be decompressed.
    const bomb = gzipSync(Buffer.concat([tarOf([{ name: 'a.png', content: 'x' }]), Buffer.alloc(50_000_000)]));
    expect(bomb.length).toBeLessThan(100_000);
    await expectFailure(unpack(bomb), 'ERR_TOO_LARGE', '1000000 bytes');
  });

  it('keeps nothing in memory of what follows the end of an archive', async () => {
    const padding = Buffer.alloc(4_000_000);
    const limits = { ...LIMITS, unpackedBytes: 1e7 };
    const write = vi.spyOn(Parser.prototype, 'write'); // It would keep and copy all that it gets after the end.
    const padded = Buffer.concat([tarOf([{ name: 'a.png', content: 'x' }]), padding]);
    for (const archive of [padded, gzipSync(padded)]) {
      write.mockClear();
      expect(await unpack(archive, limits)).toMatchObject({ files: 1, bytes: 1 });
      expect(write.mock.calls.length).toBeGreaterThan(0);
      expect(write.mock.calls.length).toBeLessThan(5);
    }
    write.mockClear();
    await expectFailure(unpack(padding, limits), 'ERR_ARCHIVE_INVALID');
    expect(write.mock.calls.length).toBeLessThan(5);
    write.mockRestore();
  });

  it('refuses more entries than its limit, also hidden ones and folders', async () => {
    const entries = (name: (i: number) => string, type?: string) =>
      Array.from({ length: 21 }, (_, i) => ({ name: name(i), ...(type && { type }) }));
    for (const archive of [entries((i) => `${i}`), entries((i) => `.${i}`), entries((i) => `${i}/`, '5')]) {
      await expectFailure(unpack(tarOf(archive)), 'ERR_TOO_LARGE', '20 entries');
    }
    await expectFailure(unpack(zipOf(entries((i) => `${i}/`).map((one) => ({ ...one, text: '' })))), 'ERR_TOO_LARGE');
  });
});
