// Writes what the embedded models are trained on: node make-training-data.mjs OUT.safetensors COUNT [TILES_FOLDER]
// TILES_FOLDER: good pictures of magnetic tiles, which then are the ground of part of the pictures.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { defects } from './defects.mjs';
import { drawPicture, drawTexture } from './picture.mjs';
import { makeRandom } from './random.mjs';
import { textures } from './textures.mjs';

const SIZE = 128;
const SEED = 7;
const GOOD_SHARE = 0.3;
/** Pictures of the tile photographs; inspection cameras are mostly monochrome, so half of the others are grey. */
const TILE_SHARE = 0.3;
const GREY_SHARE = 0.5;

const [out, countText, tilesFolder] = process.argv.slice(2);
const count = Number(countText);
if (!out || !(count > 0)) throw new Error('usage: make-training-data.mjs OUT.safetensors COUNT [TILES_FOLDER]');
const random = makeRandom(SEED);

const tiles = tilesFolder
  ? readdirSync(tilesFolder)
      .filter((name) => /\.(png|jpe?g)$/.test(name))
      .sort()
  : [];

/** A random crop of a real tile, mirrored at random, in 0..1. */
async function tileBackground() {
  const scale = Math.round(SIZE * random.range(1, 1.4));
  const { data, info } = await sharp(join(tilesFolder, random.pick(tiles)))
    .resize({ width: scale, height: scale, fit: 'outside' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const x0 = random.integer(0, info.width - SIZE);
  const y0 = random.integer(0, info.height - SIZE);
  const mirror = random.chance(0.5);
  const pixels = new Float32Array(SIZE * SIZE * 3);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const from = ((y0 + y) * info.width + x0 + (mirror ? SIZE - 1 - x : x)) * info.channels;
      for (let c = 0; c < 3; c++) pixels[(y * SIZE + x) * 3 + c] = data[from + (info.channels < 3 ? 0 : c)] / 255;
    }
  }
  return pixels;
}

const textureNames = Object.keys(textures);
const defectNames = Object.keys(defects);
const captions = [];
const captionId = (caption) => {
  if (!captions.includes(caption)) captions.push(caption);
  return captions.indexOf(caption);
};

const images = new Uint8Array(count * SIZE * SIZE * 3);
const masks = new Uint8Array(count * SIZE * SIZE);
const captionIds = new BigInt64Array(count);
const partIds = new BigInt64Array(count);
for (let n = 0; n < count; n++) {
  const useTile = tiles.length > 0 && random.chance(TILE_SHARE);
  const texture = useTile ? 'magnetic tile' : random.pick(textureNames);
  const defect = random.chance(GOOD_SHARE) ? '' : random.pick(defectNames);
  const background = useTile ? await tileBackground() : drawTexture(random, SIZE, texture);
  const { image, mask } = drawPicture(random, SIZE, background, defect, useTile || random.chance(GREY_SHARE));
  const visible = defect !== '' && mask.some((m) => m === 1);
  images.set(image, n * image.length);
  masks.set(mask, n * mask.length);
  captionIds[n] = BigInt(captionId(visible ? `${texture} with a ${defect}` : `${texture}`));
  partIds[n] = BigInt(visible ? captionId(defect) : -1);
}

const parts = [
  ['images', 'U8', [count, SIZE, SIZE, 3], images],
  ['masks', 'U8', [count, SIZE, SIZE], masks],
  ['caption_ids', 'I64', [count], captionIds],
  ['part_ids', 'I64', [count], partIds],
];
const header = { __metadata__: { captions: JSON.stringify(captions) } };
let end = 0;
for (const [name, dtype, shape, values] of parts) {
  header[name] = { dtype, shape, data_offsets: [end, end + values.byteLength] };
  end += values.byteLength;
}
const text = Buffer.from(JSON.stringify(header).padEnd(Math.ceil(JSON.stringify(header).length / 8) * 8));
const length = Buffer.alloc(8);
length.writeBigUInt64LE(BigInt(text.length));
writeFileSync(out, Buffer.concat([length, text, ...parts.map((part) => Buffer.from(part[3].buffer))]));
console.log(`${count} pictures, ${captions.length} captions, ${tiles.length} tile photographs -> ${out}`);
