// Usage: node scripts/pairs-sheet.mjs DATASET OUT.png INDEX…
// Draws a sheet of generated pairs. Each column shows the image, the part and, where there is one, the mask of a pair.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

const SIDE = 256;
const GAP = 8;

const [dataset, out, ...indices] = process.argv.slice(2);
if (!dataset || !out || indices.length === 0) throw new Error('usage: pairs-sheet.mjs DATASET OUT.png INDEX…');
const records = readFileSync(join(dataset, 'pairs.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
const tiles = [];
for (const [column, index] of indices.entries()) {
  const record = records.find((candidate) => candidate.index === Number(index));
  if (!record) throw new Error(`${dataset} has no pair ${index}`);
  for (const [row, file] of [record.image, record.part, record.mask].entries()) {
    const input = await sharp(join(dataset, file))
      .toColourspace('srgb')
      .resize(SIDE, SIDE, { kernel: 'nearest' })
      .png()
      .toBuffer();
    tiles.push({ input, left: column * (SIDE + GAP), top: row * (SIDE + GAP) });
  }
}
const width = indices.length * (SIDE + GAP) - GAP;
const height = 3 * (SIDE + GAP) - GAP;
await sharp({ create: { width, height, channels: 3, background: '#ffffff' } })
  .composite(tiles)
  .png({ compressionLevel: 9 })
  .toFile(out);
