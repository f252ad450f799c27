/**
 * Writes maps of scores as TIFF files of 32-bit floats, because scores may have any range and must not be rounded. The
 * evaluation code of MVTec AD reads this format, and so do common image tools.
 */
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';

const [SHORT, LONG] = [3, 4];
const HEADER_BYTES = 8;
const ENTRY_BYTES = 12;

/** Encodes `width` x `height` floats, row by row, as a TIFF file of one channel. */
export async function encodeFloatTiff(data: Float32Array, width: number, height: number): Promise<Buffer> {
  const strip = await promisify(deflate)(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  const padding = strip.length % 2; // The directory begins at an even offset.
  /** Each entry is a tag, the type of its value, and the value. */
  const entries: [tag: number, type: number, value: number][] = [
    [256, LONG, width],
    [257, LONG, height],
    [258, SHORT, 32], // bits per sample
    [259, SHORT, 8], // compressed by deflate
    [262, SHORT, 1], // black is zero
    [273, LONG, HEADER_BYTES], // offset of the strip
    [277, SHORT, 1], // samples per pixel
    [278, LONG, height], // rows per strip
    [279, LONG, strip.length],
    [339, SHORT, 3], // The samples are floats.
  ];
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('II', 'latin1');
  header.writeUInt16LE(42, 2);
  header.writeUInt32LE(HEADER_BYTES + strip.length + padding, 4);
  // The last four bytes of the directory say that no other directory follows.
  const directory = Buffer.alloc(2 + ENTRY_BYTES * entries.length + 4);
  directory.writeUInt16LE(entries.length, 0);
  for (const [i, [tag, type, value]] of entries.entries()) {
    const at = 2 + ENTRY_BYTES * i;
    directory.writeUInt16LE(tag, at);
    directory.writeUInt16LE(type, at + 2);
    directory.writeUInt32LE(1, at + 4);
    directory.writeUInt32LE(value, at + 8);
  }
  return Buffer.concat([header, strip, Buffer.alloc(padding), directory]);
}
