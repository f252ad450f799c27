import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RawImage } from '../../lib/core/image.js';
import { ImageInMemory } from '../../lib/dataset/image-source.js';
import type { Evaluation, EvaluationRun } from '../../lib/evaluate/evaluation.js';
import { missMarkdown, missTable } from '../../lib/evaluate/miss-table.js';
import { mistakesOf } from '../../lib/evaluate/misses.js';
import type { Split } from '../../lib/evaluate/split.js';
import { testedDefects } from '../../lib/evaluate/tested-defects.js';
import { boxMask } from '../helpers/placing.js';

describe('defects of a test image', () => {
  const mask = boxMask(40, 20, [2, 2, 4, 3]);
  for (let x = 30; x < 32; x++) mask.data[15 * 40 + x] = 255;

  it('have the highest score of their own pixels, and no other', () => {
    const data = new Float32Array(40 * 20).fill(-3);
    data[3 * 40 + 5] = 0.5; // The right column of the first defect.
    data[3 * 40 + 6] = 0.9; // The pixel beside it.
    expect(testedDefects(mask, { data, width: 40, height: 20 })).toEqual([
      { box: { left: 2, top: 2, width: 4, height: 3 }, area: 12, score: 0.5 },
      { box: { left: 30, top: 15, width: 2, height: 1 }, area: 2, score: -3 },
    ]);
  });

  it('are found in maps that are smaller than the photograph, however small they are', () => {
    const data = Float32Array.from({ length: 8 }, (_, i) => i / 10); // 4 x 2: a pixel stands for 10 x 10.
    const scores = testedDefects(mask, { data, width: 4, height: 2 }).map(({ score }) => score);
    expect(scores[0]).toBe(0);
    expect(scores[1]).toBeCloseTo(0.7);
  });

  it('are none where the mask is empty', () => {
    const empty = new RawImage({ data: new Uint8Array(4), width: 2, height: 2, channels: 1 });
    expect(testedDefects(empty, { data: new Float32Array(4), width: 2, height: 2 })).toEqual([]);
  });
});

const defect = (left: number, score: number) => ({ box: { left, top: 0, width: 5, height: 4 }, area: 20, score });
const images = [
  { name: '000', defects: [defect(0, 0.2), defect(50, 0.5)] },
  { name: '001', defects: [defect(9, 0.1)] },
].map(({ name, defects }) => ({
  ...{ type: 'crack', name, map: '', pixelAp: 0 },
  photograph: { width: 100, height: 80, defects },
}));
const good = [0.7, 0.8, 0.9].map((imageScore, i) => ({ name: `${i}.png`, map: '', meanProbability: 0, imageScore }));
const run = (more: object = {}) =>
  ({
    ...{ row: 'none', detector: 'unet', seed: 0, images, good },
    ...{ thresholds: { thresholds: { pixel: 0.5, image: 0.8 } }, ...more },
  }) as unknown as EvaluationRun;

const root = join('/data', 'tile');
const example = (name: string) => ({ name, image: join(root, 'test', 'crack', `${name}.png`), mask: '' });
const split = {
  testing: new Map([['crack', [example('000'), example('001')]]]),
  testingGood: ['0.png', '1.png', '2.png'].map((name) => join(root, 'test', 'good', name)),
} as unknown as Split;
const out = join('/data', 'out');

describe('the mistakes of a detector', () => {
  it('are the defects whose best score is below the threshold of pixels, the lowest score first', () => {
    const at = { row: 'none', detector: 'unet', seed: 0, type: 'crack', threshold: 0.5 };
    const photograph = { width: 100, height: 80 };
    expect(mistakesOf(split, { runs: [run()] }, out).misses).toEqual([
      { ...at, image: '../tile/test/crack/001.png', photograph, ...defect(9, 0.1) },
      { ...at, image: '../tile/test/crack/000.png', photograph, ...defect(0, 0.2) },
    ]);
  });

  it('are the good images whose score reaches the threshold of images, the highest score first', () => {
    const at = { row: 'none', detector: 'unet', seed: 0, threshold: 0.8 };
    expect(mistakesOf(split, { runs: [run()] }, out).falseAlarms).toEqual([
      { ...at, image: '../tile/test/good/2.png', score: 0.9 },
      { ...at, image: '../tile/test/good/1.png', score: 0.8 },
    ]);
  });

  it('are listed run by run, with the shots of a run', () => {
    const { misses } = mistakesOf(split, { runs: [run({ seed: 1, shots: 4 }), run({ row: 'ours' })] }, out);
    expect(misses.map(({ row, seed, shots }) => [row, seed, shots])).toEqual([
      ...Array(2).fill(['none', 1, 4]),
      ...Array(2).fill(['ours', 0, undefined]),
    ]);
  });

  it('are unknown for maps, which have no thresholds, and for results of an earlier version', () => {
    const early = {
      images: images.map(({ photograph: _, ...image }) => image),
      good: [{ ...good[2], imageScore: undefined }],
    };
    const runs = [run({ thresholds: undefined }), run(early)];
    expect(mistakesOf(split, { runs }, out)).toEqual({ misses: [], falseAlarms: [] });
    expect(missTable({ rows: ['none'], detectors: ['unet'], runs } as unknown as Evaluation)).toEqual([]);
  });

  it('name images in memory as messages do', () => {
    const inMemory = new ImageInMemory('crack[0].image', '000', new Uint8Array());
    const testing = new Map([['crack', [{ ...example('000'), image: inMemory }, example('001')]]]);
    const { misses } = mistakesOf({ ...split, testing }, { runs: [run()] }, out);
    expect(misses.map(({ image }) => image)).toEqual(['../tile/test/crack/001.png', 'crack[0].image']);
  });

  it('are counted for each row and detector, as means over the seeds', () => {
    const second = run({ seed: 1, thresholds: { thresholds: { pixel: 0.15, image: 2 } } });
    const evaluation = { rows: ['none', 'ours'], detectors: ['unet'], runs: [run(), second] } as unknown as Evaluation;
    expect(missTable(evaluation)).toEqual([{ row: 'none', detector: 'unet', values: [1.5, 3, 1, 3] }]);
    expect(missMarkdown(evaluation)[0]?.split('\n')[2]).toBe('| none | unet | 1.5 | 3 | 1 | 3 |');
  });
});
