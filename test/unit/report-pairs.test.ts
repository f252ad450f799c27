import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { renderToString } from 'preact-render-to-string';
import { describe, expect, it } from 'vitest';
import { sharesIn } from '../../lib/components/histogram.js';
import { html } from '../../lib/components/html.js';
import { ShapeHistograms, sizeBins } from '../../lib/components/shape-histograms.js';
import { RawImage } from '../../lib/core/image.js';
import { shapesIn } from '../../lib/dataset/defect-shape.js';
import { encodePng } from '../../lib/dataset/image-file.js';
import type { PairRecord } from '../../lib/dataset/pair-record.js';
import type { PairWriter } from '../../lib/dataset/pair-writer.js';
import { pairDigest } from '../../lib/dataset/reviews.js';
import { writeReport } from '../../lib/report/report.js';
import { ReviewLog } from '../../lib/review/review-log.js';
import { boxMask } from '../helpers/placing.js';
import { writeImage } from '../helpers/reports.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const SIDE = 40;

/** Writes a pair whose mask marks a square of this side. */
async function pairOf(index: number, side: number, more: Partial<PairRecord> = {}): Promise<PairRecord> {
  const [image, mask] = [`image ${index}.png`, `mask ${index}.png`];
  await writeImage(join(folder, image), index, SIDE, SIDE);
  await boxMask(SIDE, SIDE, [10, 20, side, side]).toSharp().toFile(join(folder, mask));
  const shown = { image, part: image, mask, coverage: (side / SIDE) ** 2, empty: side === 0 };
  return { index, seed: 0, type: 'x', ...shown, synthetic: true, settings: {}, ...more };
}

async function reportOf(records: PairRecord[], real: number[], showsPlaces = true): Promise<string> {
  const pixels = new RawImage({ data: new Uint8Array(3 * 16), width: 4, height: 4, channels: 3 });
  const maskPixels = new RawImage({ data: new Uint8Array(16).fill(255), width: 4, height: 4, channels: 1 });
  const path = join(folder, 'report.html');
  await writeReport(path, {
    ...{ title: 'pairs', examples: [{ name: '000', pixels, maskPixels }], losses: [], settings: {}, times: {} },
    real: { images: real.map((side) => shapesIn(boxMask(SIDE, SIDE, [2, 2, side, side]))), showsPlaces },
    writer: { folder, records, kept: records } as unknown as PairWriter,
  });
  return readFileSync(path, 'utf8');
}

/** Returns the caption of each card with its flags. */
const captionsOf = (html: string): string[] =>
  [...html.matchAll(/<article class="card \w.*?<\/article>/gs)].map(([card]) => {
    const [, caption] = /<span class="caption">([^<]*)/.exec(card) ?? [];
    return `${caption}: ${[...card.matchAll(/<span class="badge">([^<]*)/g)].map(([, flag]) => flag).join(', ')}`;
  });

describe('the report of run', () => {
  it('shows the pairs that need a look first, with their reasons', async () => {
    mkdirSync(folder, { recursive: true });
    const records = [
      await pairOf(0, 8),
      await pairOf(1, 30), // 14 times the largest real one.
      await pairOf(2, 8, { agreement: { 'u2net/threshold': 0.2 } }),
      await pairOf(3, 0),
      await pairOf(4, 30, { touches: false }),
    ];
    const html = await reportOf(records, [8, 8]);
    expect(captionsOf(html)).toEqual([
      '3 x, 0.00 %: empty mask',
      '4 x, 37.5 %: invisible change, extreme size',
      '2 x, 4.0 %: disagreeing masks',
      '1 x, 37.5 %: extreme size',
      '0 x, 4.0 %: ',
    ]);
    expect(html).toContain(
      '4 of 5 pairs that nobody has decided about need a look: empty mask 1, invisible change 1, disagreeing masks 1, extreme size 2.',
    );
  });

  it('shows corrected masks, and pairs that a review dropped as dropped', async () => {
    const records = [await pairOf(0, 8), await pairOf(1, 0), await pairOf(2, 8)];
    const log = await ReviewLog.open(folder);
    const [first, second] = records as [PairRecord, PairRecord];
    await log.append(first, await pairDigest(folder, first), { action: 'drop' });
    const box = { left: 10, top: 20, width: 20, height: 20 };
    const corrected = await encodePng(boxMask(SIDE, SIDE, [10, 20, 20, 20]));
    await log.correct(second, await pairDigest(folder, second), corrected, { area: 400, box });
    await log.close();
    const html = await reportOf(records, [8]);
    rmSync(join(folder, 'reviews.jsonl'));
    expect(captionsOf(html)).toEqual(['1 x, corrected, 25.0 %: empty mask', '0 x, 4.0 %: ', '2 x, 4.0 %: ']);
    expect(html).toMatch(/<article class="card drop" aria-label="Pair 0">/);
    expect(html).toContain(`href="corrected/x/000001_mask-2.png"`);
    expect(html).not.toContain('href="mask%201.png"');
    expect(html).toContain(
      'Dropped in review: 1. Masks corrected in review: 1. No pair that nobody has looked at is suspicious by its numbers.',
    );
    expect(html).toContain('2 generated ones</span>'); // A dropped pair does not count in the histograms.
  });

  it('says which pair cannot be shown, and shows the others', async () => {
    const records = [await pairOf(0, 8), await pairOf(1, 8)];
    rmSync(join(folder, 'image 0.png'));
    const html = await reportOf(records, [8]);
    expect(html).toMatch(/aria-label="Pair 0"><span class="failed"[^>]*>cannot be shown/);
    expect(html).not.toMatch(/aria-label="Pair 1"><span/);
    expect(captionsOf(html)).toEqual(['0 x: ', '1 x, 4.0 %: ']);
  });

  it('draws sizes beside the real ones, and positions where they mean something', async () => {
    const records = [await pairOf(0, 8), await pairOf(1, 8)];
    const html = await reportOf(records, [8, 16]);
    expect(html).toContain('No pair that nobody has looked at is suspicious by its numbers.');
    expect(html).toContain('2 real defects</span>');
    expect(html.match(/<svg class="histogram"/g)).toHaveLength(3);
    // The middle of a generated box is at 14 of 40 pixels, and those of the real ones are at 6 and 10.
    expect(html).toMatch(/Position from left to right. From [^"]*25 %: 50 % real, 100 % generated/);
    const inWindows = await reportOf(records, [8, 16], false);
    expect(inWindows.match(/<svg class="histogram"/g)).toHaveLength(1);
  });

  it('has no histograms where there is nothing to compare', async () => {
    expect(await reportOf([await pairOf(0, 0)], [8])).not.toContain('<svg class="histogram"');
    expect(await reportOf([await pairOf(0, 8)], [])).not.toContain('<svg class="histogram"');
  });
});

describe('histograms', () => {
  it('count every value once', () => {
    const bins = sizeBins([0.001, 0.5]);
    expect(bins.map(({ label }) => label)).toEqual([
      '0.098 %',
      '0.2 %',
      '0.39 %',
      '0.78 %',
      '1.6 %',
      '3.1 %',
      '6.3 %',
      '13 %',
      '25 %',
      '50 %',
    ]);
    expect(sharesIn(bins, [0.001, 0.125, 0.13, 0.5])).toEqual([0.25, 0, 0, 0, 0, 0, 0, 0.5, 0, 0.25]);
    expect(sharesIn(bins, [])).toEqual(Array(10).fill(0));
  });

  it('widen their bins where sizes differ very much', () => {
    const bins = sizeBins([1e-7, 1]);
    expect(bins.length).toBeLessThanOrEqual(10);
    expect(bins[0]?.from).toBeLessThanOrEqual(1e-7);
    expect(bins.at(-1)?.to).toBeGreaterThan(1);
    expect(sizeBins([0.25])).toHaveLength(1);
  });

  it('hold no name that is not a number', () => {
    const shape = { area: 1, x: 1, y: 0 };
    expect(
      renderToString(html`<${ShapeHistograms} real=${[shape]} generated=${[shape]} showsPlaces=${true} />`),
    ).not.toMatch(/NaN|Infinity/);
  });
});
