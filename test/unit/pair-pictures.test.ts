import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RawImage } from '../../lib/core/image.js';
import type { WritablePair } from '../../lib/dataset/generated-pair.js';
import { PairWriter } from '../../lib/dataset/pair-writer.js';
import { openPictures, writeReport } from '../../lib/report/report.js';
import { boxMask } from '../helpers/placing.js';
import { noise } from '../helpers/reports.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const SIDE = 200;

function pairOf(index: number, more: Partial<WritablePair> = {}): WritablePair {
  const rgb = (seed: number) =>
    new RawImage({ data: noise(3 * SIDE * SIDE, seed), width: SIDE, height: SIDE, channels: 3 });
  const mask = boxMask(SIDE, SIDE, [10, 20, 30 + index, 40]);
  return { index, seed: 0, image: rgb(index), part: rgb(index + 50), mask, ...more };
}

/** Returns the report of pairs and its thumbnails by name. */
async function reportOf(place: string, pairs: readonly WritablePair[], { isKept }: { isKept: boolean }) {
  const out = join(folder, place);
  const path = join(out, 'report.html');
  const pairFolder = join(out, 'pairs');
  await using writer = await PairWriter.open(pairFolder, { type: 'x', settings: {} });
  const pictures = openPictures(path, pairFolder);
  for (const pair of pairs) {
    const { record, files } = await writer.writeEncoded(pair);
    if (isKept) await pictures.pairs.keep(record, pair, files);
  }
  const real = { images: [], showsPlaces: true };
  const input = { title: 'x', examples: [], real, losses: [], writer, settings: {}, times: {} };
  await writeReport(path, input, pictures);
  const thumbnails = readdirSync(join(out, 'thumbnails')).map((name) => [
    name,
    readFileSync(join(out, 'thumbnails', name)).toString('base64'),
  ]);
  return { path, pictures, input, html: readFileSync(path, 'utf8'), thumbnails };
}

describe('the pictures of pairs that were just written', () => {
  it('are those that a report makes of the files', async () => {
    const grey = new RawImage({ data: noise(SIDE * SIDE, 9), width: SIDE, height: SIDE, channels: 1 });
    const { mask: _, ...unmasked } = pairOf(2);
    const pairs = [pairOf(0), pairOf(1, { image: grey, part: grey }), unmasked];
    pairs.push(pairOf(3, { mask: boxMask(SIDE, SIDE, [0, 0, 0, 0]) }));
    const kept = await reportOf('kept', pairs, { isKept: true });
    const read = await reportOf('read', pairs, { isKept: false });
    expect(kept.html).toBe(read.html);
    expect(kept.thumbnails).toEqual(read.thumbnails);
    expect(kept.thumbnails.length).toBeGreaterThan(10);
  });

  it('are not made again, even if the files are gone', async () => {
    const { path, pictures, input, html } = await reportOf('gone', [pairOf(0), pairOf(1)], { isKept: true });
    rmSync(join(folder, 'gone', 'pairs', 'test'), { recursive: true });
    await writeReport(path, input, pictures);
    expect(readFileSync(path, 'utf8')).toBe(html);
    await writeReport(path, input);
    expect(readFileSync(path, 'utf8')).toContain('cannot be shown');
  });

  it('are made of the files if a review has given the pair another mask', async () => {
    const { path, pictures, input, html } = await reportOf('corrected', [pairOf(0)], { isKept: true });
    const pairs = join(folder, 'corrected', 'pairs');
    const [record] = input.writer.records;
    const corrected = 'corrected.png';
    writeFileSync(join(pairs, corrected), await boxMask(SIDE, SIDE, [1, 1, 90, 90]).toSharp().png().toBuffer());
    const changed = { ...(record as NonNullable<typeof record>), mask: corrected };
    const shown = await pictures.pairs.of(changed, { needsPictures: true });
    expect(shown.measures.area).toBe(90 * 90);
    expect(shown.pictures.map(({ kind }) => kind)).toEqual(['image', 'part', 'mask', 'outline']);
    const same = shown.pictures.filter(({ src }) => html.includes(src)).map(({ kind }) => kind);
    expect(same).toEqual(['image', 'part']);
    await writeReport(path, input, pictures);
  });
});
