import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../lib/jobs/index.js';
import { folder, generated, judge, options, read, withoutTimes } from '../helpers/evaluating.js';
import { expectFailure } from '../helpers/failures.js';

const few = { compare: ['none' as const], seeds: 1, classifier: false };

describe('thresholds for use', () => {
  const out = join(folder, 'thresholds');

  it('are chosen on what a row learns from, and find no more than the best threshold of the test would', async () => {
    await judge(out, { ...few, iterations: 8, compare: ['none', 'draem'], pairs: { ours: generated } });
    const { runs } = read(out);
    expect(runs.map(({ row, thresholds }) => [row, thresholds?.basis])).toEqual([
      ['none', 'training photographs'],
      ['draem', 'good training images'],
      ['ours', 'generated pairs'],
      ['ours+real', 'generated pairs'],
    ]);
    for (const { thresholds, types, together, intervals } of runs) {
      for (const [type, scores] of [...Object.entries(types), ['together', together] as const]) {
        const made = type === 'together' ? thresholds?.together : thresholds?.types[type];
        expect(made?.pixels.f1).toBeLessThanOrEqual((scores.pixelF1Max ?? 0) + 1e-12);
        expect(made?.images.f1).toBeLessThanOrEqual((scores.imageF1Max ?? 0) + 1e-12);
      }
      const [low, high] = intervals?.together.pixelAp ?? [];
      expect(low).toBeLessThanOrEqual(together.pixelAp ?? 0);
      expect(high).toBeGreaterThanOrEqual(together.pixelAp ?? 0);
    }
  });

  it('are in the table and the report', () => {
    expect(readFileSync(join(out, 'table.md'), 'utf8')).toContain('| threshold chosen on |');
    const report = readFileSync(join(out, 'report.html'), 'utf8');
    expect(report).toContain('id="thresholds"');
    expect(report).toMatch(/<small>\d+\.\d to \d+\.\d<\/small>/);
  });
});

describe('the best round on the test images', () => {
  const best = { ...few, iterations: 12, bestEpoch: true };
  const [whole, cut, last] = ['best-whole', 'best-cut', 'best-last'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];

  it('is reported on request, marked in every table, and no worse than the last one', async () => {
    await judge(whole, best);
    await judge(last, { ...best, bestEpoch: false });
    const [marked, plain] = [read(whole), read(last)];
    expect(marked.runs[0]?.average.pixelAp).toBeGreaterThanOrEqual(plain.runs[0]?.average.pixelAp ?? 1);
    const label = 'unet (best of 12 rounds on the test images)';
    for (const file of ['table.md', 'table.csv', 'report.html', 'evaluation.json']) {
      expect(readFileSync(join(whole, file), 'utf8')).toContain(label);
      expect(readFileSync(join(last, file), 'utf8')).not.toContain('rounds on the test images');
    }
    const left = readdirSync(join(whole, 'runs')).filter((name) => name.endsWith('.safetensors'));
    expect(left).toEqual([]);
  });

  it('is the same after an interruption', async () => {
    const controller = new AbortController();
    const interrupted = evaluate(options(cut, best), {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.event === 'progress' && event.stage === 'evaluate' && event.done >= 7) controller.abort();
      },
    });
    await expectFailure(interrupted, 'ERR_ABORTED');
    expect(existsSync(join(cut, 'evaluation.json'))).toBe(false);
    await judge(cut, best);
    const plain = (out: string) => withoutTimes(out).map(({ cost: _, ...run }) => run);
    expect(plain(cut)).toEqual(plain(whole));
  });

  it('is refused for other detectors, whose protocols do not choose it', async () => {
    const work = judge(join(folder, 'bad'), { ...best, detectors: ['unet', 'patchcore'] });
    await expectFailure(work, 'ERR_INVALID_OPTION', 'Expected the detector unet alone with bestEpoch');
  });
});
