import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RawImage } from '../../lib/core/image.js';
import { shapesIn } from '../../lib/dataset/defect-shape.js';
import type { PairRecord } from '../../lib/dataset/pair-record.js';
import type { PairWriter } from '../../lib/dataset/pair-writer.js';
import { sharesIn } from '../../lib/report/histogram.js';
import { writeReport } from '../../lib/report/report.js';
import { shapeHistograms, sizeBins } from '../../lib/report/shape-histograms.js';
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
    const captions = [...html.matchAll(/<figure class="(pair[^"]*)">.*?<figcaption>([^<]*)/g)].map(([, ...one]) => one);
    expect(captions).toEqual([
      ['pair suspicious', '3 — 0.0 % of the image — empty mask'],
      ['pair suspicious', '4 — 56.3 % of the image — invisible defect — extreme size'],
      ['pair suspicious', '2 — 4.0 % of the image — masks disagree'],
      ['pair suspicious', '1 — 56.3 % of the image — extreme size'],
      ['pair', '0 — 4.0 % of the image'],
    ]);
    expect(html).toContain(
      '4 of 5 pairs need a look, and come first: empty mask 1, invisible defect 1, masks disagree 1, extreme size 2.',
    );
  });

  it('draws sizes beside the real ones, and positions where they mean something', async () => {
    const records = [await pairOf(0, 8), await pairOf(1, 8)];
    const html = await reportOf(records, [8, 16]);
    expect(html).toContain('No pair looks wrong by its numbers.');
    expect(html).toContain('2 real defects</span>');
    expect(html.match(/<svg class="histogram"/g)).toHaveLength(3);
    // The middle of a generated box is at 14 of 40 pixels, and those of the real ones are at 6 and 10.
    expect(html).toMatch(/Position from left to right. From [^"]*25 %: 50 % real, 100 % generated/);
    const inWindows = await reportOf(records, [8, 16], false);
    expect(inWindows.match(/<svg class="histogram"/g)).toHaveLength(1);
  });

  it('has no histograms where there is nothing to compare', async () => {
    expect(await reportOf([await pairOf(0, 0)], [8])).not.toContain('class="histogram"');
    expect(await reportOf([await pairOf(0, 8)], [])).not.toContain('class="histogram"');
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
    expect(shapeHistograms({ real: [[shape]], generated: [[shape], []] }, true)).not.toMatch(/NaN|Infinity/);
  });
});
