import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { boundingBox } from '../../lib/dataset/fit.js';
import { readMask } from '../../lib/dataset/mask-file.js';
import type { FalseAlarm, Miss } from '../../lib/dataset/missed-defect.js';
import { readImage } from '../../lib/index.js';
import { folder, judge, read } from '../helpers/evaluating.js';
import { linesOf } from '../helpers/files.js';

const out = join(folder, 'mistakes');

describe('the mistakes that an evaluation lists', () => {
  it('are those that the scores at the same thresholds count', async () => {
    const { files, text } = await judge(out, {
      compare: ['none', 'draem'],
      seeds: 1,
      iterations: 6,
      classifier: false,
    });
    const misses = linesOf<Miss>(files.misses);
    const alarms = linesOf<FalseAlarm>(files.falseAlarms);
    expect(text).toContain('| trained on | detector | missed defects | of | false alarms | of good images |');
    for (const { row, seed, thresholds, images } of read(out).runs) {
      const own = alarms.filter((alarm) => alarm.row === row && alarm.seed === seed);
      const { precision, recall } = thresholds?.together.images ?? {};
      const found = Math.round((recall ?? 0) * images.length);
      const called = found + own.length;
      expect(called === 0 ? null : found / called).toEqual(called === 0 ? precision : expect.closeTo(precision ?? -1));
      // Every image has one defect, of which some pixel reaches the threshold, or none.
      const missed = misses.filter((miss) => miss.row === row && miss.seed === seed);
      for (const type of ['dent', 'pit']) {
        const isMissedWhole = missed.filter((miss) => miss.type === type).length === 4;
        expect(thresholds?.types[type]?.pixels.recall === 0).toBe(isMissedWhole);
      }
    }
  });

  it('name the image, the box of its defect, and the highest score there', async () => {
    const misses = linesOf<Miss>(join(out, 'misses.jsonl'));
    expect(misses.length).toBeGreaterThan(0);
    for (const { image, type, box, area, photograph, score, threshold, row, seed } of misses) {
      const path = resolve(out, image);
      expect(existsSync(path)).toBe(true);
      const { width, height } = await readImage(path);
      expect(photograph).toEqual({ width, height });
      const mask = await readMask(path.replace('/test/', '/ground_truth/').replace('.png', '_mask.png'));
      expect(box).toEqual(boundingBox(mask));
      expect(area).toBe(mask.data.filter((value) => value > 0).length);
      expect(score).toBeLessThan(threshold);
      const run = read(out).runs.find((one) => one.row === row && one.seed === seed);
      const name = path.split('/').at(-1)?.replace('.png', '');
      const tested = run?.images.find((one) => one.type === type && one.name === name);
      const map = await readImage(join(out, tested?.map ?? ''));
      const highest = mask.data.reduce((most, value, i) => {
        const [x, y] = [Math.floor(((i % width) * 32) / width), Math.floor((Math.floor(i / width) * 32) / height)];
        return value > 0 ? Math.max(most, map.data[(y * 32 + x) * map.channels] as number) : most;
      }, 0);
      expect(Math.abs(highest / 255 - score)).toBeLessThanOrEqual(0.5 / 255 + 1e-6);
    }
  });
});
