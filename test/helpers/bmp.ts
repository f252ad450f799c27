/** Bitmaps of every kind, byte by byte. */

type Colour = readonly [number, number, number];

export interface BmpOptions {
  width: number;
  height: number;
  bits: number;
  /** From the top on; of 16 and 32 bits the pixel as a number, of 24 bits 0xrrggbb, else an index of the palette. */
  pixels: readonly number[];
  palette?: readonly Colour[];
  /** Red, green, blue and alpha of 16 and 32 bits. */
  masks?: readonly number[];
  compression?: number;
  /** Bytes of the header. */
  header?: number;
  topDown?: boolean;
  /** In place of rows of `pixels`. */
  data?: Buffer;
}

function rows({ width, height, bits, pixels, topDown }: BmpOptions): Buffer {
  const stride = Math.ceil((width * bits) / 32) * 4;
  const data = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const start = stride * (topDown ? y : height - 1 - y);
    for (let x = 0; x < width; x++) {
      const pixel = pixels[y * width + x] as number;
      if (bits >= 8) data.writeUIntLE(pixel, start + (x * bits) / 8, bits / 8);
      else {
        const at = start + Math.floor((x * bits) / 8);
        data[at] = (data[at] as number) | (pixel << (8 - bits - ((x * bits) % 8)));
      }
    }
  }
  return data;
}

export function bmp(options: BmpOptions): Buffer {
  const { width, height, bits, palette = [], masks = [], compression = 0, header = 40, topDown = false } = options;
  const data = options.data ?? rows(options);
  const info = Buffer.alloc(header);
  info.writeUInt32LE(header, 0);
  if (header === 12) {
    for (const [i, value] of [width, height, 1, bits].entries()) info.writeUInt16LE(value, 4 + 2 * i);
  } else {
    info.writeInt32LE(width, 4);
    info.writeInt32LE(topDown ? -height : height, 8);
    info.writeUInt16LE(1, 12);
    info.writeUInt16LE(bits, 14);
    if (header >= 40) {
      info.writeUInt32LE(compression, 16);
      info.writeUInt32LE(palette.length, 32);
    }
  }
  const maskBytes = Buffer.alloc(4 * masks.length);
  for (const [i, mask] of masks.entries()) maskBytes.writeUInt32LE(mask, 4 * i);
  if (header > 40) maskBytes.copy(info, 40);
  const entry = header === 12 ? 3 : 4;
  const colours = Buffer.alloc(entry * palette.length);
  for (const [i, [red, green, blue]] of palette.entries()) colours.set([blue, green, red], entry * i);
  const parts = [info, ...(header > 40 ? [] : [maskBytes]), colours];
  const offset = 14 + parts.reduce((sum, part) => sum + part.length, 0);
  const file = Buffer.alloc(14);
  file.write('BM');
  file.writeUInt32LE(offset + data.length, 2);
  file.writeUInt32LE(offset, 10);
  return Buffer.concat([file, ...parts, data]);
}
