/**
 * Decodes Windows and OS/2 bitmaps, which sharp does not support. It supports 1, 2, 4 and 8 bits with a palette, RLE4
 * and RLE8, 16 and 32 bits with any channel masks, and 24 bits. Rows may be top-down or bottom-up. Headers may have any
 * version from OS/2 1.x to Windows version 5.
 */
import { rleIndices } from './bmp-rle.js';

/** A decoded bitmap with 3 (RGB) or 4 (RGBA) channels. */
export interface Bitmap {
  data: Uint8Array;
  width: number;
  height: number;
  channels: 3 | 4;
}

const FILE_HEADER = 14;
/** The size of the OS/2 1.x header. Only this header has 16-bit sizes and palette entries of three bytes. */
const OS2_V1 = 12;
const INFO_HEADER = 40;

const RGB = 0;
const RLE8 = 1;
const RLE4 = 2;
const BITFIELDS = 3;
const ALPHABITFIELDS = 6;
const COMPRESSIONS: Record<number, string> = { 4: 'JPEG or RLE24', 5: 'PNG' };

/**
 * Short runs can describe a huge image, which would exhaust the memory. A file is rejected if it claims more than
 * RLE_PIXELS pixels and more than RLE_PIXELS_PER_BYTE for each byte. Real files stay below these limits.
 */
const RLE_PIXELS = 2 ** 24;
const RLE_PIXELS_PER_BYTE = 255;

interface Header {
  size: number;
  width: number;
  height: number;
  topDown: boolean;
  bits: number;
  compression: number;
  /** The number of palette entries. 0 means as many as the bits can address. */
  colours: number;
  /** The offset of the pixels in the file, in bytes. */
  offset: number;
}

export const isBmp = (bytes: Uint8Array): boolean => bytes[0] === 0x42 && bytes[1] === 0x4d;

function readHeader(bytes: Buffer): Header {
  const size = bytes.length >= FILE_HEADER + 4 ? bytes.readUInt32LE(FILE_HEADER) : 0;
  if (bytes.length < FILE_HEADER + Math.max(size, OS2_V1)) throw new Error('it ends within its header');
  const offset = bytes.readUInt32LE(10);
  if (size === OS2_V1) {
    const [width, height, bits] = [18, 20, 24].map((at) => bytes.readUInt16LE(at)) as [number, number, number];
    return { size, width, height, topDown: false, bits, compression: RGB, colours: 0, offset };
  }
  if (size < 16 || size > 4096) throw new Error(`its header has an unknown size of ${size} bytes`);
  const field = (at: number) => (at + 4 <= FILE_HEADER + size ? bytes.readUInt32LE(at) : 0);
  const height = bytes.readInt32LE(22);
  return {
    ...{ size, width: bytes.readInt32LE(18), height: Math.abs(height), topDown: height < 0 },
    ...{ bits: bytes.readUInt16LE(28), compression: field(30), colours: field(46), offset },
  };
}

/** Returns the size in the header of a bitmap. Throws if the header is cut off or unknown. */
export function bmpSize(bytes: Buffer): { width: number; height: number } {
  const { width, height } = readHeader(bytes);
  if (width <= 0 || height <= 0) throw new Error(`it claims ${width} x ${height} pixels`);
  return { width, height };
}

/**
 * Decodes a bitmap of at most `maxPixels`. Checks the header before it allocates memory, and throws if it is invalid.
 */
export function decodeBmp(bytes: Buffer, maxPixels: number): Bitmap {
  const header = readHeader(bytes);
  const { width, height, bits, compression, offset } = header;
  if (offset !== 0 && offset < FILE_HEADER + header.size) throw new Error('its pixels begin within its header');
  const claimed = `it claims ${width} x ${height} pixels`;
  if (width <= 0 || height <= 0) throw new Error(claimed);
  if (width * height > maxPixels) throw new Error(`${claimed}, more than the limit of ${maxPixels}`);
  if (compression in COMPRESSIONS) throw new Error(`BMP with ${COMPRESSIONS[compression]} inside is not supported`);
  const isRle = (compression === RLE8 && bits === 8) || (compression === RLE4 && bits === 4);
  const hasMasks = (compression === BITFIELDS || compression === ALPHABITFIELDS) && (bits === 16 || bits === 32);
  if (![1, 2, 4, 8, 16, 24, 32].includes(bits) || !(compression === RGB || isRle || hasMasks)) {
    throw new Error(`BMP of ${bits} bits with compression ${compression} is not supported`);
  }
  if (isRle) {
    if (width * height > Math.max(RLE_PIXELS, RLE_PIXELS_PER_BYTE * bytes.length)) {
      throw new Error(`${claimed}, but it has only ${bytes.length} bytes`);
    }
    const { colours, end } = readPalette(bytes, header);
    return applyPalette(rleIndices(bytes.subarray(offset || end), header), colours, header);
  }
  return bits <= 8 ? decodeIndexed(bytes, header, claimed) : decodeTrueColour(bytes, header, claimed);
}

/** Yields the rows from top to bottom, without their padding. */
function* rowsOf(bytes: Buffer, { width, height, bits, topDown }: Header, offset: number, claimed: string) {
  const used = Math.ceil((width * bits) / 8);
  const stride = Math.ceil(used / 4) * 4;
  const needed = offset + stride * (height - 1) + used; // Some programs omit the padding of the last row.
  if (bytes.length < needed) {
    throw new Error(
      `${claimed}, which need ${needed} bytes, but it has only ${bytes.length}: it is cut off or damaged`,
    );
  }
  for (let y = 0; y < height; y++) {
    const start = offset + stride * (topDown ? y : height - 1 - y);
    yield bytes.subarray(start, start + used);
  }
}

/** Reads the palette's colours (R, G, B). `end` is the offset behind the palette, in bytes. */
function readPalette(bytes: Buffer, { size, bits, colours, offset, compression }: Header) {
  const entry = size === OS2_V1 ? 3 : 4;
  const masks = size === INFO_HEADER && compression === BITFIELDS ? 12 : 0;
  const start = FILE_HEADER + size + masks;
  const room = Math.floor(((offset > start ? Math.min(offset, bytes.length) : bytes.length) - start) / entry);
  const count = Math.min(colours === 0 ? 2 ** bits : colours, 2 ** bits, Math.max(room, 0));
  const palette = new Uint8Array(3 * count);
  for (let i = 0; i < count; i++) {
    const at = start + entry * i;
    palette.set([bytes[at + 2] as number, bytes[at + 1] as number, bytes[at] as number], 3 * i);
  }
  return { colours: palette, end: start + entry * count };
}

/** Replaces palette indices by their colours. Throws if the palette has no colour for an index. */
function applyPalette(indices: Uint8Array, palette: Uint8Array, { width, height }: Header): Bitmap {
  const data = new Uint8Array(3 * width * height);
  const count = palette.length / 3;
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    if (index >= count) throw new Error(`a pixel has colour ${index} of a palette of ${count}`);
    for (let channel = 0; channel < 3; channel++) data[3 * i + channel] = palette[3 * index + channel] as number;
  }
  return { data, width, height, channels: 3 };
}

function decodeIndexed(bytes: Buffer, header: Header, claimed: string): Bitmap {
  const { width, height, bits, offset } = header;
  const { colours, end } = readPalette(bytes, header);
  const perByte = 8 / bits;
  const rows = rowsOf(bytes, header, offset || end, claimed);
  let indices: Uint8Array | undefined; // The memory is allocated once the rows are known to be complete.
  let at = 0;
  for (const row of rows) {
    indices ??= new Uint8Array(width * height);
    for (let x = 0; x < width; x++) {
      const byte = row[Math.floor(x / perByte)] as number;
      indices[at++] = (byte >> (8 - bits * ((x % perByte) + 1))) & (2 ** bits - 1);
    }
  }
  return applyPalette(indices as Uint8Array, colours, header);
}

/** Takes one channel out of a pixel's bits, as 0 to 255. */
interface Channel {
  shift: number;
  max: number;
}

function channelOf(mask: number): Channel {
  if (mask === 0) return { shift: 0, max: 0 };
  const shift = 31 - Math.clz32(mask & -mask);
  const max = mask >>> shift;
  if ((max & (max + 1)) !== 0) throw new Error(`its colour mask ${mask.toString(16)} has gaps`);
  return { shift, max };
}

/** Returns the position of red, green, blue and alpha in a pixel of 16 or 32 bits. */
function channelsOf(bytes: Buffer, { size, bits, compression }: Header): Channel[] {
  if (compression === RGB) {
    return (bits === 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff0000, 0xff00, 0xff]).map(channelOf);
  }
  const at = FILE_HEADER + INFO_HEADER; // From version 2 on, this is inside the header, and otherwise right behind it.
  const hasAlpha = compression === ALPHABITFIELDS || size >= 56;
  const count = hasAlpha ? 4 : 3;
  if (bytes.length < at + 4 * count) throw new Error('it ends within its header');
  const masks = Array.from({ length: count }, (_, i) => bytes.readUInt32LE(at + 4 * i));
  if (masks[3] === 0) masks.pop();
  return masks.map(channelOf);
}

function decodeTrueColour(bytes: Buffer, header: Header, claimed: string): Bitmap {
  const { size, width, height, bits, compression, offset } = header;
  const channels = bits === 24 ? [] : channelsOf(bytes, header);
  const maskBytes = compression !== RGB && size === INFO_HEADER ? 4 * channels.length : 0;
  const start = offset || FILE_HEADER + size + maskBytes;
  const step = bits / 8;
  const depth = channels.length === 4 ? 4 : 3;
  let data: Uint8Array | undefined;
  let at = 0;
  for (const row of rowsOf(bytes, header, start, claimed)) {
    data ??= new Uint8Array(depth * width * height);
    for (let x = 0; x < step * width; x += step) {
      if (bits === 24) {
        data[at++] = row[x + 2] as number;
        data[at++] = row[x + 1] as number;
        data[at++] = row[x] as number;
        continue;
      }
      const pixel = bits === 16 ? row.readUInt16LE(x) : row.readUInt32LE(x);
      for (const { shift, max } of channels) {
        data[at++] = max === 0 ? 0 : Math.round((((pixel >>> shift) & max) * 255) / max);
      }
    }
  }
  return { data: data as Uint8Array, width, height, channels: depth };
}
