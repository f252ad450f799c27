import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Example } from '../../lib/dataset/example-file.js';
import type { Evaluation, EvaluationRun } from '../../lib/evaluate/evaluation.js';
import type { Split } from '../../lib/evaluate/split.js';
import { missSection } from '../../lib/report/evaluation-misses.js';
import { thumbnailsOf } from '../../lib/report/thumbnails.js';
import { HOSTILE, writeImage, writeMask } from '../helpers/reports.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const IMAGES = 30;
/** The mask of image i, as the helper draws it on 240 x 160 pixels. */
const boxOf = (i: number) => ({ left: (37 * i) % 180, top: (23 * i) % 120, width: 60, height: 40 });

async function examples(): Promise<Example[]> {
  return Promise.all(
    Array.from({ length: IMAGES }, async (_, i) => ({
      name: String(i),
      image: await writeImage(join(folder, 'test', `${i}.png`), i),
      mask: await writeMask(join(folder, 'mask', `${i}.png`), i),
    })),
  );
}

/** A run that misses the first images. */
function runThatMisses(count: number, seed: number, row = 'none') {
  const images = Array.from({ length: IMAGES }, (_, i) => ({
    ...{ type: HOSTILE.type, name: String(i), map: '', pixelAp: 0 },
    photograph: { width: 240, height: 160, defects: [{ box: boxOf(i), area: 2400, score: i < count ? 0.1 : 0.9 }] },
  }));
  const good = [{ name: '0.png', map: '', meanProbability: 0, imageScore: 0.9 }];
  const thresholds = { thresholds: { pixel: 0.5, image: 0.5 } };
  return { row, detector: 'unet', seed, images, good, thresholds } as unknown as EvaluationRun;
}

const evaluationOf = (...runs: EvaluationRun[]) =>
  ({ rows: ['none', HOSTILE.row], detectors: ['unet'], runs }) as unknown as Evaluation;

describe('the misses in a report', () => {
  it('are shown around each defect, those that most runs missed first', async () => {
    const split = { testing: new Map([[HOSTILE.type, await examples()]]) } as unknown as Split;
    const thumbnails = thumbnailsOf(join(folder, 'report.html'));
    const evaluation = evaluationOf(runThatMisses(2, 0), runThatMisses(1, 1), runThatMisses(30, 0, HOSTILE.row));
    const html = await missSection(split, evaluation, thumbnails);
    const captions = [...html.matchAll(/<figcaption>[^<]* (\d+), 60 x 40 pixels: missed by (\d) of 3 runs/g)];
    expect(captions).toHaveLength(24);
    expect(html).toContain('Missed defects: 24 of 30, those that most runs missed first');
    expect(captions.slice(0, 3).map(([, name, count]) => [name, count])).toEqual([
      ['0', '3'],
      ['1', '2'],
      ['2', '1'],
    ]);
    expect(html).not.toMatch(/<script|<img src=x/); // Names are escaped.
    const [, src = ''] = /src="([^"]+)"/.exec(html) ?? [];
    const { width, height } = await sharp(join(folder, src)).metadata();
    expect(width).toBeLessThanOrEqual(160);
    expect(height).toBeLessThanOrEqual(width); // 180 x 160 pixels of the photograph.
  });

  it('are counted for each row, and are left out where no run has thresholds', async () => {
    const thumbnails = thumbnailsOf(join(folder, 'none.html'));
    const split = { testing: new Map() } as unknown as Split;
    const html = await missSection(split, evaluationOf(runThatMisses(0, 0)), thumbnails);
    expect(html).toContain('No run missed a defect.');
    expect(html).toContain('data-name="false alarms" data-value="1"');
    const undecided = { ...runThatMisses(3, 0), thresholds: undefined } as unknown as EvaluationRun;
    expect(await missSection(split, evaluationOf(undecided), thumbnails)).toBe('');
  });
});
