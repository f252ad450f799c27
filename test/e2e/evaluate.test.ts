import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { Evaluator } from '../../lib/evaluate/index.js';
import { Dataset } from '../../lib/index.js';
import { type EvaluateJobOptions, evaluate, type JobEvent } from '../../lib/jobs/index.js';
import { cli, flagsOf } from '../helpers/cli.js';
import { writeCategory } from '../helpers/dataset.js';
import { category, folder, generated, judge, options, read, withoutTimes, writeGood } from '../helpers/evaluating.js';
import { expectFailure, warningsOf } from '../helpers/failures.js';
import { recordsOf } from '../helpers/files.js';

describe('an evaluation', () => {
  const first = join(folder, 'first');

  it('evaluate compares baselines and generated pairs, on what does not train', async () => {
    const flags = [...flagsOf(options(first, { iterations: 3 })), '--pairs', `ours=${generated}`];
    const { code, stdout, stderr } = await cli(['evaluate', ...flags]);
    expect(stderr).toContain('evaluating');
    expect(code).toBe(0);
    expect(stdout).toContain('| average | ours+real |');
    const evaluation = read(first);
    expect(evaluation.rows).toEqual(['none', 'crop-paste', 'draem', 'ours', 'ours+real']);
    expect(evaluation.training).toEqual({ dent: 2, pit: 2, good: 5 });
    expect(evaluation.tested).toEqual({ dent: 4, pit: 4, good: 4 });
    expect(evaluation.runs).toHaveLength(10);
    const ours = evaluation.runs.find(({ row }) => row === 'ours+real');
    expect([ours?.defects, ours?.emptyMasks]).toEqual([11, 1]); // 4 real, 7 of 8 generated
    for (const { row, average } of evaluation.runs) {
      const { accuracy, ...detection } = average;
      expect(Object.values(detection).every((value) => value !== null && value >= 0 && value <= 1)).toBe(true);
      if (row === 'draem')
        expect(accuracy).toBeNull(); // what is made up has no type
      else expect(accuracy).toBeGreaterThanOrEqual(0);
    }
    expect(readFileSync(join(first, 'table.csv'), 'utf8').trim().split('\n')).toHaveLength(1 + 4 * 5 * 9);
    const report = readFileSync(join(first, 'report.html'), 'utf8');
    expect(report).toContain('id="scores"');
    expect(report).toContain('pit: real, then ours');
    const tested = evaluation.runs.flatMap(({ images }) => images);
    expect(tested).toHaveLength(2 * 5 * 8);
    expect(new Set(tested.map(({ map }) => map)).size).toBe(tested.length); // no run writes over another's
    const map = await sharp(join(first, tested[0]?.map ?? '')).metadata();
    expect([map.width, map.height, map.channels]).toEqual([32, 32, 1]);
    for (const { good } of evaluation.runs)
      expect(good.map(({ name }) => name)).toEqual(['000.png', '001.png', '002.png', '003.png']);
    for (const { map, meanProbability } of evaluation.runs.flatMap(({ good }) => good)) {
      const { channels } = await sharp(join(first, map)).stats();
      expect(Math.abs((channels[0]?.mean ?? -1) / 255 - meanProbability)).toBeLessThan(1 / 255);
    }
    expect(report).toContain('Good images, most suspected first');
    expect(report).toContain('alt="good 003.png: mean probability');
  });

  it('an evaluation keeps what is done, and gives the same again', async () => {
    const runs = join(first, 'runs');
    const [kept, lost] = readdirSync(runs) as [string, string];
    const before = readFileSync(join(runs, kept), 'utf8');
    const expected = withoutTimes(first);
    rmSync(join(runs, lost));
    await judge(first, { iterations: 3, pairs: { ours: generated } });
    expect(readFileSync(join(runs, kept), 'utf8')).toBe(before);
    expect(withoutTimes(first)).toEqual(expected);
  });

  it('an evaluation that was interrupted goes on from its checkpoints to the result of one that was not', async () => {
    const [whole, cut] = [join(folder, 'whole'), join(folder, 'cut')];
    const two = { compare: ['none' as const], concurrency: 2, iterations: 40, classifier: false };
    await judge(whole, two);
    const controller = new AbortController();
    const begun = new Set<number | undefined>();
    const interrupted = evaluate(options(cut, two), {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.event !== 'progress') return;
        begun.add(event.seed);
        if (begun.size === 2 && event.done >= 10) controller.abort();
      },
    });
    await expectFailure(interrupted, 'ERR_ABORTED');
    expect(existsSync(join(cut, 'evaluation.json'))).toBe(false);
    const checkpoints = readdirSync(join(cut, 'runs'));
    expect(checkpoints).toHaveLength(2); // Both runs were going on.
    expect(checkpoints.every((name) => name.endsWith('.checkpoint.safetensors'))).toBe(true);
    // Steps of earlier processes are told apart, so that they are not taken for the speed of this one.
    const doneBefore = async () => {
      const told: (number | undefined)[] = [];
      const onEvent = (event: JobEvent) => event.event === 'progress' && told.push(event.doneBefore);
      await evaluate(options(cut, two), { onEvent });
      return told;
    };
    const counts = await doneBefore();
    expect(counts.at(-1)).toBeGreaterThanOrEqual(10);
    expect(counts.at(-1)).toBe(80 - counts.length);
    expect(withoutTimes(cut)).toEqual(withoutTimes(whole));
    expect(await doneBefore()).toEqual([40, 80]);
    // the checkpoints are gone
    expect(readdirSync(join(cut, 'runs')).every((name) => name.endsWith('.json'))).toBe(true);
    expect(read(whole).runs[0]?.average.pixelAp).not.toBeNull();
  });

  it('an evaluation gives the same whatever its concurrency, where each run has as many threads', async () => {
    const [one, three] = [join(folder, 'one-job'), join(folder, 'three-jobs')];
    for (const [out, concurrency] of [
      [one, 1],
      [three, 3],
    ] as const) {
      const flags = flagsOf(options(out, { compare: ['none', 'crop-paste'], iterations: 4, concurrency }));
      expect(await cli(['evaluate', ...flags], { env: { OMP_NUM_THREADS: '1' } })).toMatchObject({ code: 0 });
    }
    expect(withoutTimes(three)).toEqual(withoutTimes(one));
  });

  it('an evaluation trains only the classifier where only that is missing', async () => {
    const out = join(folder, 'classes');
    const short = { compare: ['none' as const], seeds: 1, iterations: 2 };
    await judge(out, { ...short, classifier: false });
    expect(read(out).runs[0]?.average.accuracy).toBeNull();
    const detector = readdirSync(join(out, 'runs'));
    expect(detector).toHaveLength(1);
    await judge(out, short);
    expect(read(out).runs[0]?.types.dent?.accuracy).toBeGreaterThanOrEqual(0);
    expect(readdirSync(join(out, 'runs'))).toHaveLength(2);
    expect(readdirSync(join(out, 'runs'))).toContain(detector[0]);
  });

  it('an evaluation tests on what is left where another part than the first trains', async () => {
    const dataset = await Dataset.open(category);
    const { split } = await Evaluator.open(dataset, { trainImages: '1/3@2', compare: ['none'] });
    const names = (of: typeof split.training) => of.get('dent')?.map(({ name }) => name);
    expect(names(split.training)).toEqual(['002', '003']);
    expect(names(split.testing)).toEqual(['000', '001', '004', '005']);
  });

  it('an evaluation tests on another folder where it is given, trains on all of the first one then, and warns of types that only one of them has', async () => {
    const held = join(folder, 'held');
    await writeCategory(held, 'dent', 6, 56, 48);
    await writeCategory(held, 'scratch', 1);
    await writeGood(join(held, 'test', 'good'), 2, 180);
    const dataset = await Dataset.open(category);
    let evaluator = undefined as unknown as Evaluator;
    const warnings = await warningsOf(async () => {
      evaluator = await Evaluator.open(dataset, { testData: held, compare: ['none'] });
    });
    expect(warnings).toEqual([
      `Types of ${held} are not tested, because ${category} lacks them: scratch.`,
      `Types of ${category} are not trained on, because ${held} lacks them: pit.`,
    ]);
    expect(evaluator.split.training.get('dent')).toHaveLength(6);
    expect(evaluator.split.testing.get('dent')).toHaveLength(6);
    expect([...evaluator.split.training.keys()]).toEqual(['dent']);
    expect(evaluator.split.testing.get('dent')?.[0]?.image).toContain(held);
  });

  it('an evaluation makes the pairs of recipes and ablations from the images that train, and judges them', async () => {
    const out = join(folder, 'recipes');
    const quick: Partial<EvaluateJobOptions> = {
      ...{ recipes: ['augment', 'noise'], ablations: ['one-branch', 'background'], count: 2, trainSteps: 1 },
      ...{ compare: [], withReal: false, iterations: 1, seeds: 1 },
    };
    await judge(out, quick);
    const evaluation = read(out);
    expect(evaluation.rows).toEqual(['augment', 'noise', 'one-branch', 'background']);
    expect(evaluation.runs.map(({ defects, emptyMasks }) => defects + emptyMasks)).toEqual([4, 4, 4, 4]);
    const records = (recipe: string, type = 'dent') => recordsOf(join(out, 'pairs', recipe, type, 'dataset'));
    const [augmented] = records('augment');
    expect(records('augment')).toHaveLength(2);
    expect(augmented).toMatchObject({ recipe: 'augment', maskMethod: 'exact', synthetic: true });
    expect(augmented).not.toHaveProperty('adapter');
    expect(augmented?.settings.examples).toEqual(['000', '001']); // No more than what trains.
    expect(['dent', 'pit'].map((type) => records('augment', type)[0]?.seed)).toEqual([0, 1]);
    expect(records('noise')[0]).toMatchObject({ recipe: 'noise', maskMethod: 'u2net' });
    expect(records('one-branch')[0]).toMatchObject({ recipe: 'noise', maskMethod: 'u2net' });
    expect(records('background')[0]?.settings).toMatchObject({ backgrounds: ['000.png'] });
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('dent: real, then background');
    const picture = join(out, 'pairs', 'background', 'pit', 'dataset', 'test', 'pit', '000000.png');
    const before = statSync(picture).mtimeMs;
    await judge(out, { ...quick, seed: 1 }); // The pairs are kept for all seeds.
    expect(statSync(picture).mtimeMs).toBe(before);
  });

  it('evaluate --recipes augment makes its pairs without a base', async () => {
    const out = join(folder, 'augment alone');
    const quick = { recipes: ['augment'], count: 1, compare: 'none', iterations: 1, seeds: 1, classifier: false };
    const args = ['evaluate', ...flagsOf({ ...options(out), ...quick })];
    expect(await cli(args)).toMatchObject({ code: 0, stdout: expect.stringContaining('| average | augment+real |') });
    // No recipe reads the base, so that it would have no effect.
    const { code, stderr } = await cli([...args, '--base', 'sd15']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('Expected the recipe noise or place with base'),
    });
  });

  it('an evaluation makes other pairs for each seed where it is asked to', async () => {
    const out = join(folder, 'fresh');
    const pairs = { recipes: ['augment' as const], count: 2, freshPairs: true, seed: 1, classifier: false };
    await judge(out, { ...pairs, compare: [], withReal: false, iterations: 1 });
    expect(read(out).runs.map(({ seed, defects }) => [seed, defects])).toEqual([
      [1, 4],
      [2, 4],
    ]);
    const seedsOf = (set: string) =>
      ['dent', 'pit'].map((type) => recordsOf(join(out, 'pairs', 'augment', set, type, 'dataset'))[0]?.seed);
    expect(['seed1', 'seed2'].map(seedsOf)).toEqual([
      [2, 3],
      [4, 5],
    ]);
  });

  it('detectors are trained at another learning rate where it is asked for', async () => {
    const scores = async (name: string, more: Partial<EvaluateJobOptions>) => {
      const out = join(folder, name);
      await judge(out, { compare: ['none'], iterations: 3, seeds: 1, classifier: false, ...more });
      const { protocol, runs } = read(out);
      return { rate: protocol.learningRate, average: runs[0]?.average };
    };
    const usual = await scores('usual', {});
    const same = await scores('same', { learningRate: 0.0005 });
    const higher = await scores('higher', { learningRate: 0.01 });
    expect(same).toEqual(usual);
    expect(higher.rate).toBe(0.01);
    expect(higher.average).not.toEqual(usual.average);
  });

  it('detectors learn from one folder for each seed where there are as many', async () => {
    const fewer = join(folder, 'fewer');
    for (const type of ['dent', 'pit']) await writeCategory(join(fewer, type, 'dataset'), type, 2);
    const sets = {
      ...{ compare: [], resolution: 32, iterations: 1, classifier: false, seed: 4 },
      pairs: { ours: [generated, fewer] },
    };
    const dataset = await Dataset.open(category);
    const evaluator = await Evaluator.open(dataset, { ...sets, seeds: 2 });
    const { runs } = await evaluator.evaluate(join(folder, 'sets'));
    expect(runs.map(({ row, seed, defects }) => [row, seed, defects])).toEqual([
      ['ours', 4, 7],
      ['ours', 5, 4],
      ['ours+real', 4, 11],
      ['ours+real', 5, 8],
    ]);
    await expect(Evaluator.open(dataset, { ...sets, seeds: 3 })).rejects.toThrow(
      'Expected one folder of ours for all seeds, or 3 folders, one for each seed, but received 2',
    );
  });

  it.each<[string, string, Partial<EvaluateJobOptions>]>([
    ['has no generated pairs of pit', 'ERR_DATASET_INVALID', { pairs: { ours: join(generated, 'dent', 'dataset') } }],
    ['holds no generated pairs', 'ERR_DATASET_INVALID', { pairs: { ours: join(category, 'ground_truth') } }],
    [
      'there is no such file or folder',
      'ERR_FILE_ACCESS',
      { recipes: ['augment'], pairs: { ours: join(folder, 'absent') } },
    ],
    ['Expected one of none, crop-paste, draem', 'ERR_INVALID_OPTION', { compare: ['mosaic' as 'none'] }],
    ['Expected a multiple of 32 for resolution', 'ERR_INVALID_OPTION', { resolution: 50 }],
    ['Expected a number above 0 and up to 1 for learningRate', 'ERR_INVALID_OPTION', { learningRate: 0 }],
    ['Expected recipes with freshPairs', 'ERR_INVALID_OPTION', { freshPairs: true }],
    ['Expected a multiple of 32 for tile', 'ERR_INVALID_OPTION', { resolution: undefined, tile: 50 }],
    ['Expected every number once for shots', 'ERR_INVALID_OPTION', { shots: [2, 2] }],
    ['Expected 2 folders of ours, one for each seed', 'ERR_INVALID_OPTION', { shots: [2], pairs: { ours: generated } }],
    ['Expected shots without freshPairs', 'ERR_INVALID_OPTION', { shots: [2], recipes: ['augment'], freshPairs: true }],
    ['There is nothing to evaluate', 'ERR_INVALID_OPTION', { compare: [] }],
    ['Expected one of noise, place, augment', 'ERR_INVALID_OPTION', { recipes: ['wish' as 'noise'] }],
    [
      'Expected a detector that learns from pairs but received patchcore',
      'ERR_INVALID_OPTION',
      { recipes: ['augment'], detectors: ['patchcore'] },
    ],
    [
      'patchcore needs the weights of wide-resnet50-2',
      'ERR_INVALID_OPTION',
      { recipes: ['augment'], detectors: ['unet', 'patchcore'], backbone: 'wide-resnet50-2' },
    ],
    [
      'Expected the row or the detector draem with textures',
      'ERR_INVALID_OPTION',
      { recipes: ['augment'], compare: ['none'], textures: category },
    ],
    ['cannot be called none', 'ERR_INVALID_OPTION', { pairs: { none: generated } }],
    ['augment is a recipe', 'ERR_INVALID_OPTION', { recipes: ['augment'], pairs: { augment: generated } }],
  ])('an evaluation says in one line: %s', async (text, code, more) => {
    await expectFailure(judge(join(folder, 'bad'), more), code, text);
    expect(existsSync(join(folder, 'bad', 'pairs'))).toBe(false);
  });

  it('evaluate names the words that a flag takes', async () => {
    const outcome = await cli(['evaluate', ...flagsOf(options(join(folder, 'bad'))), '--recipes', 'wish']);
    expect(outcome).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Expected noise, place, augment (several'),
    });
  });

  it('an evaluation without good images to train or to test on names where it expects them before it makes pairs', async () => {
    const bad = join(folder, 'bad');
    const [train, test, elsewhere] = [join(category, 'train'), join(category, 'test', 'good'), join(folder, 'away')];
    renameSync(train, elsewhere);
    const work = judge(bad, { recipes: ['augment'] });
    await expectFailure(work, 'ERR_DATASET_INVALID', `no good images to train on: expected images in ${train}/good`);
    renameSync(elsewhere, train);
    renameSync(test, elsewhere);
    const message = `no good images to test on: expected images in ${test}`;
    await expectFailure(judge(bad, { recipes: ['augment'] }), 'ERR_DATASET_INVALID', message);
    renameSync(elsewhere, test);
    expect(existsSync(join(bad, 'pairs'))).toBe(false);
  });
});
