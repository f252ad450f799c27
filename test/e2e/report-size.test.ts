import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RawImage } from '../../lib/core/image.js';
import type { PairRecord } from '../../lib/dataset/pair-record.js';
import type { PairWriter } from '../../lib/dataset/pair-writer.js';
import { writeReport } from '../../lib/report/report.js';
import { noise, writeImage, writeMask } from '../helpers/reports.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const PAIRS = 1000;
/** The files of this many pairs differ. Thumbnails of the same pixels are one file, so their sizes are counted again. */
const DISTINCT = 8;
/** Images of noise that are as large as a thumbnail compress worst of all. */
const SIDE = 160;
const MEGABYTE = 1e6;

it('a report of 1,000 pairs stays under 20 MB with its thumbnails, and holds no image itself', async () => {
  const records: PairRecord[] = [];
  for (let index = 0; index < DISTINCT; index++) {
    const image = `image ${index}.png`;
    await writeImage(join(folder, image), index, SIDE, SIDE);
    const part = `part ${index}.png`;
    await writeImage(join(folder, part), index + 100, SIDE, SIDE);
    const mask = `mask ${index}.png`;
    await writeMask(join(folder, mask), index, SIDE, SIDE);
    records.push({ index, seed: index, type: 'x', image, part, mask, coverage: 0.1, synthetic: true, settings: {} });
  }
  const kept = Array.from({ length: PAIRS }, (_, index) => ({ ...(records[index % DISTINCT] as PairRecord), index }));
  const pixels = new RawImage({ data: noise(3 * 64 * 64, 5), width: 64, height: 64, channels: 3 });
  const maskPixels = new RawImage({ data: new Uint8Array(64 * 64), width: 64, height: 64, channels: 1 });
  const path = join(folder, 'report.html');
  await writeReport(path, {
    title: '1000 pairs of noise, which compresses worst',
    examples: [{ name: '000', pixels, maskPixels }],
    real: { images: [], showsPlaces: false },
    losses: Array.from({ length: 5000 }, (_, i) => ({ step: i + 1, loss: 1 / (i + 1) })),
    writer: { folder, records: kept, kept } as unknown as PairWriter,
    settings: {},
    times: {},
  });
  const html = readFileSync(path, 'utf8');
  expect(html).not.toMatch(/(src|href)="?data:/);
  expect(html.match(/<article class="card \w/g)).toHaveLength(PAIRS);
  const sizeOf = new Map(
    readdirSync(join(folder, 'thumbnails')).map((name) => [name, statSync(join(folder, 'thumbnails', name)).size]),
  );
  expect(sizeOf.size).toBe(DISTINCT * 4 + 3); // Each is made once.
  const sources = [...html.matchAll(/src="thumbnails\/([^"]+)"/g)].map(
    ([, name]) => sizeOf.get(name as string) as number,
  );
  expect(sources).toHaveLength(PAIRS * 4 + 3);
  const total = html.length + sources.reduce((sum, size) => sum + size, 0);
  expect(total).toBeLessThan(20 * MEGABYTE);
  expect(total).toBeGreaterThan(MEGABYTE);
});
