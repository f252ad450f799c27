// Usage: node scripts/pairs-sheet.mjs DATASET OUT.png INDEX… [--photographs FOLDER]
// Draws a sheet of generated pairs. Each column shows the image, the part and the mask of a pair. With --photographs, the
// first picture of a column is the photograph that a defect was placed in, and the part is left out.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';

const WIDTH = 192;
const GAP = 8;

const { positionals, values } = parseArgs({ allowPositionals: true, options: { photographs: { type: 'string' } } });
const [dataset, out, ...indices] = positionals;
if (!dataset || !out || indices.length === 0) throw new Error('usage: pairs-sheet.mjs DATASET OUT.png INDEX…');
const records = readFileSync(join(dataset, 'pairs.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
const columns = indices.map((index) => {
  const record = records.find((candidate) => candidate.index === Number(index));
  if (!record) throw new Error(`${dataset} has no pair ${index}`);
  const [image, part, mask] = [record.image, record.part, record.mask].map((file) => file && join(dataset, file));
  return values.photographs ? [join(values.photographs, record.photograph), image, mask] : [image, part, mask];
});
const { width, height } = await sharp(columns[0][1]).metadata();
const HEIGHT = Math.round((WIDTH * height) / width);
const tiles = [];
for (const [column, files] of columns.entries()) {
  for (const [row, file] of files.filter(Boolean).entries()) {
    const input = await sharp(file)
      .rotate()
      .toColourspace('srgb')
      .resize(WIDTH, HEIGHT, { fit: 'fill' })
      .png()
      .toBuffer();
    tiles.push({ input, left: column * (WIDTH + GAP), top: row * (HEIGHT + GAP) });
  }
}
const rows = Math.max(...columns.map((files) => files.filter(Boolean).length));
await sharp({
  create: {
    width: columns.length * (WIDTH + GAP) - GAP,
    height: rows * (HEIGHT + GAP) - GAP,
    channels: 3,
    background: '#ffffff',
  },
})
  .composite(tiles)
  .png({ compressionLevel: 9, palette: true, colours: 256 })
  .toFile(out);
