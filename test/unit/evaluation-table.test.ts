import { describe, expect, it } from 'vitest';
import type { Evaluation, EvaluationRun } from '../../lib/evaluate/evaluation.js';
import { PROTOCOLS } from '../../lib/evaluate/protocol.js';
import { meanScores, type Scores } from '../../lib/evaluate/scores.js';
import { cellText, csvTable, markdownTable, tableOf } from '../../lib/evaluate/table.js';
import { shotsChart } from '../../lib/report/shots-chart.js';

const scores = (value: number | null): Scores => ({
  pixelAuroc: value,
  pixelAp: value,
  pixelF1Max: value,
  pixelAuPro: value,
  imageAuroc: value,
  imageAp: value,
  imageF1Max: value,
  accuracy: value,
});

function run(row: string, seed: number, crack: number | null, stain: number): EvaluationRun {
  const types = { crack: scores(crack), stain: scores(stain) };
  const average = meanScores(Object.values(types));
  return {
    row,
    seed,
    types,
    average,
    together: scores(0.5),
    defects: 4,
    emptyMasks: 0,
    seconds: 1,
    images: [],
    good: [],
  };
}

const evaluation: Evaluation = {
  category: 'tile',
  types: ['crack', 'stain'],
  rows: ['none', 'ours, too'],
  protocol: { name: 'small', ...PROTOCOLS.small },
  tested: { crack: 4, stain: 4, good: 4 },
  leftOut: 0,
  training: { crack: 2, stain: 2, good: 9 },
  quality: [],
  runs: [run('none', 0, 0.2, 0.4), run('none', 1, 0.4, 0.4), run('none', 2, 0.6, 0.7), run('ours, too', 0, null, 0.9)],
};

describe('the table of an evaluation', () => {
  const lines = tableOf(evaluation);
  const cell = (type: string, row: string) =>
    lines.find((line) => line.type === type && line.row === row)?.cells.pixelAp;

  it('has a line for every type, the average and all together, for every row', () => {
    expect(lines.map(({ type, row }) => `${type}/${row}`)).toEqual(
      ['crack', 'stain', 'average', 'together'].flatMap((type) => [`${type}/none`, `${type}/ours, too`]),
    );
  });

  it('gives the mean and the standard deviation of the seeds', () => {
    expect(cell('crack', 'none')?.mean).toBeCloseTo(0.4, 12);
    expect(cell('crack', 'none')?.deviation).toBeCloseTo(0.2, 12); // of 0.2, 0.4 and 0.6
    expect(cell('average', 'none')?.mean).toBeCloseTo((0.3 + 0.4 + 0.65) / 3, 12);
    expect(cell('average', 'none')?.values).toHaveLength(3);
  });

  it('says where there is nothing instead of making up a number', () => {
    expect(cell('crack', 'ours, too')).toEqual({ mean: null, deviation: null, values: [null] });
    expect(cell('stain', 'ours, too')).toEqual({ mean: 0.9, deviation: null, values: [0.9] });
    expect(cell('average', 'ours, too')?.mean).toBe(0.9);
  });

  it('is written as Markdown and as CSV', () => {
    expect(cellText({ mean: 0.41234, deviation: 0.01, values: [] })).toBe('41.2 ± 1.0');
    const markdown = markdownTable(lines).trim().split('\n');
    expect(markdown).toHaveLength(2 + lines.length);
    expect(markdown[2]).toContain('| crack | none | 40.0 ± 20.0 |');
    expect(markdown[3]).toContain('| crack | ours, too | - |');
    const csv = csvTable(lines).trim().split('\n');
    expect(csv).toHaveLength(1 + 8 * lines.length);
    expect(csv).toContain('stain,"ours, too",pixelAp,0.9,,0.9');
  });
});

describe('the table of an evaluation with shots', () => {
  const runs = [1, 4].flatMap((shots) =>
    [0, 1].map((seed) => ({ ...run('none', seed, 0.1 * shots + 0.1 * seed, 0.2), shots })),
  );
  const lines = tableOf({ ...evaluation, rows: ['none'], shots: [1, 4], runs });

  it('has a line for each number, with the runs of that number alone', () => {
    const cracks = lines.filter(({ type }) => type === 'crack');
    expect(cracks.map(({ shots, cells }) => [shots, cells.pixelAp.values])).toEqual([
      [1, [0.1, 0.2]],
      [4, [0.4, 0.5]],
    ]);
  });

  it('has a column of the numbers as Markdown and as CSV', () => {
    const markdown = markdownTable(lines).split('\n');
    expect(markdown[0]).toMatch(/^\| type \| shots \| trained on \| pixel AUROC/);
    expect(markdown[1]).toMatch(/^\| --- \| --- \| --- \| ---:/);
    expect(markdown[3]).toMatch(/^\| crack \| 4 \| none \| 45\.0/);
    const csv = csvTable(lines).split('\n');
    expect(csv[0]).toBe('type,row,shots,measure,mean,deviation,values');
    expect(csv).toContainEqual(expect.stringMatching(/^crack,none,4,pixelAp,0\.45,0\.07\d*,0\.4 0\.5$/));
  });

  it('is drawn as a curve for each row, over the numbers', () => {
    const svg = shotsChart(lines);
    const [, points = ''] = /polyline points="([^"]+)"/.exec(svg) ?? [];
    const [[x1, y1], [x4, y4]] = points.split(' ').map((point) => point.split(',').map(Number)) as [number[], number[]];
    expect(x4).toBeGreaterThan(x1 as number);
    expect(y4).toBeLessThan(y1 as number); // A higher score is further up.
    expect(svg).toContain('>none</text>');
    expect(svg).toMatch(/>1<\/text>.*\n?.*>4<\/text>/);
  });
});
