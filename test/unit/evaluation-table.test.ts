import { describe, expect, it } from 'vitest';
import { costMarkdown } from '../../lib/evaluate/cost-table.js';
import type { Evaluation, EvaluationRun } from '../../lib/evaluate/evaluation.js';
import { PROTOCOLS } from '../../lib/evaluate/protocol.js';
import { type Interval, type Intervals, meanScores, type Scores } from '../../lib/evaluate/scores.js';
import { worthMarkdown, worthOf, worthText } from '../../lib/evaluate/shots-worth.js';
import { cellText, csvTable, type Line, markdownTable, tableOf } from '../../lib/evaluate/table.js';
import { chartLabel } from '../../lib/report/chart-label.js';
import { shotsChart } from '../../lib/report/shots-chart.js';

const scores = (value: number | null): Scores => ({
  pixelAuroc: value,
  pixelAp: value,
  pixelF1Max: value,
  pixelAuPro: value,
  pixelAuPro5: value,
  imageAuroc: value,
  imageAp: value,
  imageF1Max: value,
  accuracy: value,
});

function run(row: string, seed: number, crack: number | null, stain: number, detector = 'unet'): EvaluationRun {
  const types = { crack: scores(crack), stain: scores(stain) };
  const average = meanScores(Object.values(types));
  return {
    row,
    detector,
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
  detectors: ['unet'],
  bestEpoch: false,
  maps: [],
  protocol: { name: 'small', ...PROTOCOLS.small, detectors: {} },
  tested: { crack: 4, stain: 4, good: 4 },
  leftOut: 0,
  synthetic: 0,
  training: { crack: 2, stain: 2, good: 9 },
  quality: [],
  networks: [],
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
    expect(cell('crack', 'ours, too')).toEqual({ mean: null, deviation: null, values: [null], interval: null });
    expect(cell('stain', 'ours, too')).toEqual({ mean: 0.9, deviation: null, values: [0.9], interval: null });
    expect(cell('average', 'ours, too')?.mean).toBe(0.9);
  });

  it('is written as Markdown and as CSV', () => {
    expect(cellText({ mean: 0.41234, deviation: 0.01, values: [], interval: null })).toBe('41.2 ± 1.0');
    const markdown = markdownTable(lines).trim().split('\n');
    expect(markdown).toHaveLength(2 + lines.length);
    expect(markdown[2]).toContain('| crack | none | unet | 40.0 ± 20.0 |');
    expect(markdown[3]).toContain('| crack | ours, too | unet | - |');
    const csv = csvTable(lines).trim().split('\n');
    expect(csv).toHaveLength(1 + 9 * lines.length);
    expect(csv).toContain('stain,"ours, too",unet,pixelAp,0.9,,0.9,,');
  });
});

describe('the table of an evaluation of several detectors', () => {
  const runs = [run('none', 0, 0.2, 0.4), run('none', 0, 0.3, 0.5, 'draem'), run('good only', 0, 0.6, 0.8, 'draem')];
  const lines = tableOf({ ...evaluation, rows: ['good only', 'none'], detectors: ['unet', 'draem'], runs });

  it('has a line for each detector of a row, and none where the detector has no runs', () => {
    expect(lines.slice(0, 3).map(({ row, detector, cells }) => [row, detector, cells.pixelAp.mean])).toEqual([
      ['good only', 'draem', 0.6],
      ['none', 'unet', 0.2],
      ['none', 'draem', 0.3],
    ]);
    expect(lines).toHaveLength(4 * 3);
    expect(csvTable(lines)).toContain('crack,good only,draem,pixelAp,0.6,,0.6,,\n');
  });

  it('tells what each detector costs where it is known, and apart for each number of networks at once', () => {
    const cost = { fitSeconds: 123.4, imageMs: 4.5678, megabytes: 0.5 };
    const alone = { ...cost, concurrency: 1 };
    const shared = (seconds: number) => ({ ...cost, fitSeconds: seconds, concurrency: 2 });
    const run = runs[1] as EvaluationRun;
    const costs = costMarkdown({
      ...{ ...evaluation, detectors: ['unet', 'draem'] },
      runs: [
        ...[alone, shared(200), shared(300), cost].map((one) => ({ ...run, cost: one })),
        runs[0] as EvaluationRun,
      ],
    });
    expect(costs[0]?.split('\n')).toEqual([
      '| detector | networks at once | fit (s) | image (ms) | size (MB) |',
      '| --- | ---: | ---: | ---: | ---: |',
      '| draem | 1 | 123 | 4.57 | 0.500 |',
      '| draem | 2 | 250 | 4.57 | 0.500 |',
      '| draem | - | 123 | 4.57 | 0.500 |',
      '',
    ]);
    expect(costMarkdown(evaluation)).toEqual([]);
  });

  it('is charted with the names of the detectors', () => {
    expect(chartLabel(lines[0] as Line, lines)).toBe('good only, draem');
    expect(chartLabel(lines[1] as Line, lines.slice(1, 2))).toBe('none');
  });
});

describe('intervals in the table', () => {
  const none: Intervals = {
    ...{ pixelAuroc: null, pixelAp: null, pixelF1Max: null, pixelAuPro: null, pixelAuPro5: null },
    ...{ imageAuroc: null, imageAp: null, imageF1Max: null },
  };
  const withInterval = (seed: number, interval: Interval): EvaluationRun => ({
    ...run('none', seed, 0.5, 0.5),
    intervals: { types: { crack: { ...none, pixelAp: interval }, stain: none }, average: none, together: none },
  });
  const cellOf = (runs: EvaluationRun[]) =>
    tableOf({ ...evaluation, rows: ['none'], runs }).find(({ type }) => type === 'crack')?.cells.pixelAp;

  it('are the means of the ends over the seeds', () => {
    const cell = cellOf([withInterval(0, [0.25, 0.5]), withInterval(1, [0.5, 1])]);
    expect(cell?.interval).toEqual([0.375, 0.75]);
    expect(csvTable(tableOf({ ...evaluation, rows: ['none'], runs: [withInterval(0, [0.25, 0.5])] }))).toContain(
      'crack,none,unet,pixelAp,0.5,,0.5,0.25,0.5',
    );
  });

  it('are missing if a seed has none, or was measured by an earlier version', () => {
    expect(cellOf([withInterval(0, [0.25, 0.5]), withInterval(1, null)])?.interval).toBeNull();
    expect(cellOf([withInterval(0, [0.25, 0.5]), run('none', 1, 0.5, 0.5)])?.interval).toBeNull();
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
    expect(markdown[0]).toMatch(/^\| type \| shots \| trained on \| detector \| pixel AUROC/);
    expect(markdown[1]).toMatch(/^\| --- \| --- \| --- \| --- \| ---:/);
    expect(markdown[3]).toMatch(/^\| crack \| 4 \| none \| unet \| 45\.0/);
    const csv = csvTable(lines).split('\n');
    expect(csv[0]).toBe('type,row,detector,shots,measure,mean,deviation,values,low,high');
    expect(csv).toContainEqual(expect.stringMatching(/^crack,none,unet,4,pixelAp,0\.45,0\.07\d*,0\.4 0\.5,,$/));
  });

  it('is drawn as a curve for each row, over the numbers', () => {
    const svg = shotsChart(lines);
    const [, points = ''] = /polyline points="([^"]+)"/.exec(svg) ?? [];
    const [[x1, y1], [x4, y4]] = points.split(' ').map((point) => point.split(',').map(Number)) as [number[], number[]];
    expect(x4).toBeGreaterThan(x1 as number);
    expect(y4).toBeLessThan(y1 as number); // A higher score is further up.
    expect(svg).toContain('>none</span>');
    expect(svg).toMatch(/>1<\/text>.*\n?.*>4<\/text>/);
  });
});

describe('what pairs are worth', () => {
  const at = (row: string, values: Record<number, number>) =>
    Object.entries(values).map(([shots, value]) => ({ ...run(row, 0, value, value), shots: Number(shots) }));
  const counts = [1, 2, 4, 8];
  const linesOf = (none: number[], place: Record<number, number>) => {
    const real = Object.fromEntries(counts.map((count, i) => [count, none[i] as number]));
    const runs = [...at('none', real), ...at('place+real', place)];
    return tableOf({ ...evaluation, rows: ['none', 'place+real'], shots: counts, runs });
  };

  it('is the number of real photographs with which none has the same score', () => {
    const lines = linesOf([0.25, 0.375, 0.5, 0.75], { 1: 0.5, 2: 0.625, 4: 0.875, 8: 0.125 });
    expect(worthOf(lines).map((worth) => [worth.shots, worthText(worth)])).toEqual([
      [1, '4'],
      [2, '5.7'], // half of the way from 4 to 8 on a logarithmic scale
      [4, 'more than 8'],
      [8, 'fewer than 1'],
    ]);
    expect(worthMarkdown(lines)[0]).toContain('| place+real | unet | 2 | 62.5 | 5.7 |');
    expect(shotsChart(lines).match(/class="worth"/g)).toHaveLength(2);
  });

  it('is the first such number where more photographs are no better', () => {
    const [worth] = worthOf(linesOf([0.25, 0.75, 0.5, 0.75], { 1: 0.5 }));
    expect(worth?.photographs).toBeCloseTo(Math.SQRT2, 10);
  });

  it('is not told without several numbers, or without none', () => {
    const lines = linesOf([0.25, 0.375, 0.5, 0.75], { 1: 0.5 });
    expect(worthOf(lines.filter(({ row }) => row !== 'none'))).toEqual([]);
    expect(worthOf(lines.filter(({ shots }) => shots === 1))).toEqual([]);
    expect(worthMarkdown([])).toEqual([]);
  });
});
