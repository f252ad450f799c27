/** PNG and TIFF files of kinds that sharp does not write. */
import { crc32, deflateSync } from 'node:zlib';

export interface PngOptions {
  width: number;
  height: number;
  bits: 1 | 2 | 4 | 8 | 16;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA. */
  colourType?: number;
  samples: readonly number[];
  palette?: readonly number[];
  /** Chunks before the pixels. */
  more?: readonly Buffer[];
}

const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

export function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const whole = Buffer.alloc(8);
  whole.writeUInt32BE(data.length, 0);
  whole.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([whole.subarray(0, 4), body, whole.subarray(4)]);
}

/** Rows of samples, packed from the highest bit on. */
function packed(samples: readonly number[], perRow: number, bits: number, before: number): Buffer {
  const stride = before + Math.ceil((perRow * bits) / 8);
  const data = Buffer.alloc((stride * samples.length) / perRow);
  for (const [i, sample] of samples.entries()) {
    const bit = 8 * (Math.floor(i / perRow) * stride + before) + (i % perRow) * bits;
    if (bits === 16) data.writeUInt16BE(sample, bit / 8);
    else data[bit >> 3] = (data[bit >> 3] as number) | (sample << (8 - bits - (bit % 8)));
  }
  return data;
}

export function png({ width, height, bits, colourType = 0, samples, palette, more = [] }: PngOptions): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([bits, colourType], 8);
  const rows = packed(samples, width * (CHANNELS[colourType] as number), bits, 1);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head),
    ...more,
    ...(palette ? [chunk('PLTE', Uint8Array.from(palette))] : []),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', new Uint8Array()),
  ]);
}

type Numbers =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

export interface TiffOptions {
  width: number;
  height: number;
  /** One channel, or several interleaved; of fewer than 8 bits as packed bytes. */
  samples: Numbers;
  channels?: number;
  bits?: number;
  /** 0 white is 0, 1 black is 0, 2 RGB, 8 CIELAB. */
  photometric?: number;
  /** 1 unsigned, 2 signed, 3 floats; by default what the samples are. */
  format?: number;
}

const sampleFormat = (samples: Numbers) =>
  /^Float/.test(samples.constructor.name) ? 3 : /^Int/.test(samples.constructor.name) ? 2 : 1;

/** A TIFF file of one strip, not compressed; of several pages where several are given. */
export function tiff(...pages: TiffOptions[]): Buffer {
  const parts: Buffer[] = [Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0])];
  let end = 8;
  for (const [index, { width, height, samples, channels = 1, photometric = 1, ...page }] of pages.entries()) {
    const bits = page.bits ?? 8 * samples.BYTES_PER_ELEMENT;
    const data = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
    const padded = Buffer.concat([data, Buffer.alloc(data.length % 2)]);
    const tags: [number, number, number[]][] = [
      [256, 4, [width]],
      [257, 4, [height]],
      [258, 3, Array<number>(channels).fill(bits)],
      [259, 3, [1]],
      [262, 3, [photometric]],
      [273, 4, [0]],
      [277, 3, [channels]],
      [278, 4, [height]],
      [279, 4, [data.length]],
      [339, 3, Array<number>(channels).fill(page.format ?? sampleFormat(samples))],
    ];
    const size = 2 + 12 * tags.length + 4;
    const extra = Buffer.alloc(4 * 2 * channels); // of tags that do not fit into 4 bytes
    let extraEnd = 0;
    const start = end + size + extra.length;
    const directory = Buffer.alloc(size);
    directory.writeUInt16LE(tags.length, 0);
    for (const [i, [tag, type, values]] of tags.entries()) {
      const at = 2 + 12 * i;
      directory.writeUInt16LE(tag, at);
      directory.writeUInt16LE(type, at + 2);
      directory.writeUInt32LE(values.length, at + 4);
      if (tag === 273) directory.writeUInt32LE(start, at + 8);
      else if (type === 4) directory.writeUInt32LE(values[0] as number, at + 8);
      else if (values.length <= 2)
        for (const [k, value] of values.entries()) directory.writeUInt16LE(value, at + 8 + 2 * k);
      else {
        directory.writeUInt32LE(end + size + extraEnd, at + 8);
        for (const value of values) extraEnd = extra.writeUInt16LE(value, extraEnd);
      }
    }
    directory.writeUInt32LE(index + 1 < pages.length ? start + padded.length : 0, size - 4);
    parts.push(directory, extra, padded);
    end = start + padded.length;
  }
  return Buffer.concat(parts);
}
