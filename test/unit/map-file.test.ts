import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { resizeScores } from '../../lib/detect/resize-scores.js';
import { readMap } from '../../lib/evaluate/map-file.js';
import { expectFailure } from '../helpers/failures.js';
import { npy } from '../helpers/npy.js';
import { png, tiff } from '../helpers/png-tiff.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
let written = 0;
const readBytes = (bytes: Buffer, ending: string) => {
  const path = join(folder, `${written++}.${ending}`);
  writeFileSync(path, bytes);
  return readMap(path);
};

/** 3 x 2 scores of a wide range, which float32 can hold. */
const scores = Float32Array.from([-3.5, 0.25, 1e6, 2, 0, 70000]);
const size = { width: 3, height: 2 };
const bigEndian = Buffer.from(scores.buffer.slice(0)).swap32();

describe('a map is read with the scores of its file:', () => {
  it.each<[string, Buffer, string]>([
    ['TIFF of floats', tiff({ ...size, samples: scores }), 'tiff'],
    ['array of float32', npy(scores, '<f4', [2, 3]), 'npy'],
    ['array of float64', npy(Float64Array.from(scores), '<f8', [2, 3]), 'npy'],
    ['array of big-endian float32', npy(bigEndian, '>f4', [2, 3]), 'npy'],
    ['array with axes of one', npy(scores, '<f4', [1, 2, 3, 1]), 'npy'],
  ])('%s', async (_, bytes, ending) => {
    expect(await readBytes(bytes, ending)).toEqual({ ...size, data: scores });
  });

  it('PNG of 16 bits', async () => {
    const samples = [0, 1, 300, 40000, 65534, 65535];
    const map = await readBytes(png({ ...size, bits: 16, samples }), 'png');
    expect(map).toEqual({ ...size, data: Float32Array.from(samples) });
  });

  it('array of integers', async () => {
    const map = await readBytes(npy(Int16Array.from([-300, 2, 3, 4, 5, 6]), '<i2', [2, 3]), 'npy');
    expect(map.data).toEqual(Float32Array.from([-300, 2, 3, 4, 5, 6]));
  });
});

describe('a map is refused with its file:', () => {
  const picture = () => sharp({ create: { ...size, channels: 3, background: 'red' } });
  const withNaN = Float32Array.from([0, 1, 2, 3, Number.NaN, 5]);
  it.each<[string, () => Buffer | Promise<Buffer>, string]>([
    ['a picture of a map', () => picture().png().toBuffer(), 'png'],
    ['grey with alpha', () => png({ ...size, bits: 8, colourType: 4, samples: Array(12).fill(3) }), 'png'],
    ['JPEG in a file called PNG', () => picture().jpeg().toBuffer(), 'png'],
    ['several pages', () => tiff({ ...size, samples: scores }, { ...size, samples: scores }), 'tiff'],
    ['nothing', () => Buffer.alloc(0), 'png'],
  ])('%s', async (_, bytes, ending) => {
    await expectFailure(readBytes(await bytes(), ending), 'ERR_DATASET_INVALID', `${folder}/${written - 1}`);
  });

  it.each<[string, Buffer, string, string]>([
    ['NaN in a TIFF', tiff({ ...size, samples: withNaN }), 'tiff', 'the score NaN at column 1 of row 1'],
    ['NaN in an array', npy(withNaN, '<f4', [2, 3]), 'npy', 'the score NaN at column 1 of row 1'],
    [
      'floats beyond float32',
      npy(Float64Array.from([1e300, 0, 0, 0, 0, 0]), '<f8', [2, 3]),
      'npy',
      'the score Infinity',
    ],
    ['no array', Buffer.from('PK\x03\x04 an archive'), 'npy', 'is not an array of NumPy'],
    ['an array that is cut off', npy(scores, '<f4', [2, 3]).subarray(0, 140), 'npy', 'expected 24 for 2 x 3'],
    ['a header that is cut off', npy(scores, '<f4', [2, 3]).subarray(0, 20), 'npy', 'is cut off'],
    ['a header without a length', npy(scores, '<f4', [2, 3]).subarray(0, 8), 'npy', 'is cut off'],
    ['a shape that is too large', npy(scores, '<f4', [1e9, 1e9]), 'npy', 'more than the limit'],
    ['numbers of another shape', npy(scores, '<f4', [4, 3]), 'npy', 'has 24 bytes of numbers: expected 48 for 4 x 3'],
    ['two maps', npy(new Float32Array(12), '<f4', [2, 2, 3]), 'npy', 'expected height x width'],
    ['a row of numbers', npy(scores, '<f4', [6]), 'npy', 'expected height x width'],
    ['column-major order', npy(scores, '<f4', [2, 3], 'True'), 'npy', 'column-major order'],
    ['objects', npy(scores, '|O', [2, 3]), 'npy', 'holds O: save it as float32'],
    ['half precision', npy(new Uint16Array(6), '<f2', [2, 3]), 'npy', 'holds f2'],
    ['a header of noise', npy(scores, '<f4', [2, 3], 'Maybe'), 'npy', 'a header that cannot be read'],
  ])('%s', async (_, bytes, ending, text) => {
    await expectFailure(readBytes(bytes, ending), 'ERR_DATASET_INVALID', text);
  });
});

describe('a resized map', () => {
  it('keeps a ramp and its range, beyond what images can hold', () => {
    const data = Float32Array.from({ length: 16 * 12 }, (_, i) => -1000 + 500 * (i % 16));
    const { data: half } = resizeScores({ data, width: 16, height: 12 }, { width: 8, height: 6 });
    // The middle of new pixel x lies at 2 x + 0.5 of the old ones. The border has fewer neighbours.
    for (let x = 1; x < 7; x++) expect(half[8 + x]).toBeCloseTo(-1000 + 500 * (2 * x + 0.5), 3);
    const double = resizeScores({ data, width: 16, height: 12 }, { width: 32, height: 24 });
    expect(double.data[5]).toBeCloseTo(-1000 + 500 * 2.25, 3);
    expect(double.data[0]).toBeCloseTo(-1000, 3);
  });

  it('is that of PyTorch, whose interpolate(mode="bilinear", antialias=True) gave these numbers', () => {
    const map = {
      data: Float32Array.from({ length: 35 }, (_, i) => 10 * ((i * 7919) % 251) - 900),
      width: 7,
      height: 5,
    };
    const smaller = resizeScores(map, { width: 4, height: 3 });
    const expected = [155.17, 358.9143, 29.5429, 159.5238, 377.619, 507.6, 447.5556, 677.9365, 395.17, 197.3143];
    for (const [i, value] of expected.entries()) expect(smaller.data[i]).toBeCloseTo(value, 3);
    const larger = resizeScores(map, { width: 9, height: 8 });
    const row = [-150, 31.875, 219.7917, 299.5833, 344.5139, 563.75, -315.1389, 200.4167, 437.0833];
    for (const [i, value] of row.entries()) expect(larger.data[8 + i]).toBeCloseTo(value, 3);
  });
});
