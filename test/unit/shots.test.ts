import { describe, expect, it } from 'vitest';
import type { Example } from '../../lib/dataset/example-file.js';
import { DETECTORS } from '../../lib/detect/kinds.js';
import { planRuns } from '../../lib/evaluate/planned-runs.js';
import type { Row } from '../../lib/evaluate/rows.js';
import { drawShots } from '../../lib/evaluate/shots.js';
import type { Split } from '../../lib/evaluate/split.js';

const example = (name: string): Example => ({ name, image: `/${name}.png`, mask: `/${name}_mask.png` });
const cracks = Array.from({ length: 12 }, (_, i) => example(`crack${i}`));
const training = new Map([
  ['crack', cracks],
  ['stain', [example('stain0'), example('stain1'), example('stain2')]],
]);
const alone = new Map([...training.values()].flat().map(({ image }, i) => [image, i]));
const namesOf = (drawn: ReadonlyMap<string, Example[]>, type = 'crack') => drawn.get(type)?.map(({ name }) => name);

describe('shots', () => {
  it('draw that many of each type, or all of them', () => {
    const drawn = drawShots(training, alone, 4, 0);
    expect([...drawn].map(([type, list]) => [type, new Set(list).size])).toEqual([
      ['crack', 4],
      ['stain', 3],
    ]);
  });

  it('are nested, and drawn by the seed', () => {
    const eight = namesOf(drawShots(training, alone, 8, 3)) ?? [];
    for (const count of [1, 2, 4]) expect(namesOf(drawShots(training, alone, count, 3))).toEqual(eight.slice(0, count));
    expect(namesOf(drawShots(training, alone, 8, 4))).not.toEqual(eight);
    expect(eight).not.toEqual(cracks.slice(0, 8).map(({ name }) => name));
  });

  it('draw photographs of different parts first', () => {
    // Six exposures of each of two parts.
    const groups = new Map(cracks.map(({ image }, i) => [image, Math.floor(i / 6)]));
    const groupOf = (name: string) => groups.get(`/${name}.png`);
    for (const seed of [0, 1, 2, 3, 4, 5]) {
      const two = namesOf(drawShots(training, groups, 2, seed)) ?? [];
      expect(new Set(two.map(groupOf)).size).toBe(2);
      expect(namesOf(drawShots(training, groups, 5, seed))).toHaveLength(5);
    }
  });
});

describe('the planned runs', () => {
  const split = { training, groups: alone } as unknown as Split;
  const set = (folder: string) => ({ folder, types: new Map() });
  const rows: Row[] = [
    { name: 'none', source: 'pairs', real: true },
    { name: 'draem', source: 'draem', real: false },
    { name: 'ours', source: 'pairs', real: false, generated: ['1/0', '1/1', '2/0', '2/1'].map(set) },
  ];

  const one = { detectors: [DETECTORS.unet], classifier: true };

  it('of shots know only the photographs that were drawn, and have the pairs of their number and seed', () => {
    const runs = planRuns(rows, split, { ...one, shots: [1, 2], seeds: 2, seed: 5 });
    expect(runs.map(({ row, shots, seed, generated }) => [row.name, shots, seed, generated?.folder])).toEqual([
      ['none', 1, 5, undefined],
      ['none', 1, 6, undefined],
      ['draem', 1, 5, undefined], // It learns from good images alone.
      ['draem', 1, 6, undefined],
      ['ours', 1, 5, '1/0'],
      ['ours', 1, 6, '1/1'],
      ['none', 2, 5, undefined],
      ['none', 2, 6, undefined],
      ['ours', 2, 5, '2/0'],
      ['ours', 2, 6, '2/1'],
    ]);
    for (const { training: known, shots, seed } of runs) {
      expect(known).toEqual(drawShots(training, alone, shots as number, seed));
    }
    expect(new Set(runs.map(({ key }) => key)).size).toBe(runs.length);
  });

  it('without shots know all training images, and share one set for all seeds where there is only one', () => {
    const runs = planRuns(rows.slice(0, 1), split, { ...one, seeds: 2, seed: 0 });
    expect(runs.map(({ shots, training: known }) => [shots, known])).toEqual([
      [undefined, training],
      [undefined, training],
    ]);
    expect(runs[0]?.key).toBe(runs[1]?.key);
  });
});
