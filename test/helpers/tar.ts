/** Tar archives of a test's own making, so that their headers may say anything. */
export interface TarEntry {
  name: string;
  content?: string | Buffer;
  /** `0` is a file, `1` a hard link, `2` a symbolic link, `3` a device, `5` a folder, `6` a pipe. */
  type?: string;
  link?: string;
  /** The size that the header claims. */
  size?: number;
}

const BLOCK = 512;

function header({ name, content = '', type = '0', link = '', size = Buffer.byteLength(content) }: TarEntry): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, 100);
  block.write('0000644\0', 100);
  block.write('0000000\0', 108);
  block.write('0000000\0', 116);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write('00000000000\0', 136);
  block.write('        ', 148);
  block.write(type, 156);
  block.write(link, 157, 100);
  block.write('ustar\0', 257);
  block.write('00', 263);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** Makes a tar archive. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const content = Buffer.from(entry.content ?? '');
    return [header(entry), content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}
