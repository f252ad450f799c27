// Writes the embedded example set in MVTec AD's layout: node make-example.mjs OUT
// node make-example.mjs OUT SEED writes a larger set of other pictures, with good ones to test on, for docs/loop.md.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { exampleDefects } from './example-defects.mjs';
import { makeRandom } from './random.mjs';
import { textures } from './textures.mjs';

const SIZE = 128;
const TEXTURE = 'brushed metal';
const EMBEDDED = { seed: 2024, good: 6, testGood: 0, defective: 9 };
const LARGE = { good: 20, testGood: 20, defective: 18 };

const [out, seed] = process.argv.slice(2);
if (!out || (seed !== undefined && !/^\d+$/.test(seed))) throw new Error('usage: make-example.mjs OUT [SEED]');
const set = seed === undefined ? EMBEDDED : { ...LARGE, seed: Number(seed) };
rmSync(out, { recursive: true, force: true });
const random = makeRandom(set.seed);

const grey = (rgb) => Buffer.from(Uint8Array.from({ length: SIZE * SIZE }, (_, i) => rgb[3 * i]));
async function writeGrey(folder, name, bytes) {
  mkdirSync(join(out, folder), { recursive: true });
  const raw = sharp(bytes, { raw: { width: SIZE, height: SIZE, channels: 1 } });
  await raw
    .toColourspace('b-w')
    .png({ compressionLevel: 9 })
    .toFile(join(out, folder, name));
}
const clampByte = (value) => Math.min(255, Math.max(0, Math.round(255 * value)));

/** Draws a picture with `defect`, or a good one. Returns { image: RGB bytes, mask: Uint8Array of 0 and 1 }. */
function drawPicture(defect) {
  const pixels = textures[TEXTURE](random, SIZE);
  const cover = defect ? exampleDefects[defect](random, SIZE, pixels) : new Float32Array(SIZE * SIZE);
  for (let i = 0; i < pixels.length; i++) pixels[i] += 0.012 * random.normal();
  return { image: Uint8Array.from(pixels, clampByte), mask: Uint8Array.from(cover, (c) => (c >= 0.5 ? 1 : 0)) };
}

const name = (i) => String(i).padStart(3, '0');

for (const [folder, count] of [
  ['train/good', set.good],
  ['test/good', set.testGood],
]) {
  for (let i = 0; i < count; i++) {
    const { image } = drawPicture();
    await writeGrey(folder, `${name(i)}.png`, grey(image));
  }
}
for (const defect of ['scratch', 'stain']) {
  for (let i = 0; i < set.defective; i++) {
    const { image, mask } = drawPicture(defect);
    await writeGrey(`test/${defect}`, `${name(i)}.png`, grey(image));
    await writeGrey(`ground_truth/${defect}`, `${name(i)}_mask.png`, Buffer.from(mask.map((m) => 255 * m)));
  }
}
console.log(`example set -> ${out}`);
