import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Evaluation } from '../../lib/evaluate/evaluator.js';
import { Evaluator } from '../../lib/evaluate/index.js';
import { Dataset } from '../../lib/index.js';
import { cli } from '../helpers/cli.js';
import { writeCategory } from '../helpers/dataset.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const category = join(folder, 'plate');
const generated = join(folder, 'generated');

/** Good images, each of another level from `first` on: no two of them may have the same pixels. */
async function writeGood(where: string, count: number, first: number): Promise<void> {
  mkdirSync(where, { recursive: true });
  for (let i = 0; i < count; i++) {
    const image = sharp({
      create: { width: 48, height: 40, channels: 3, background: { r: 180, g: 180, b: first + i } },
    });
    await image.png().toFile(join(where, `${String(i).padStart(3, '0')}.png`));
  }
}

beforeAll(async () => {
  await writeCategory(category, 'dent', 6);
  await writeCategory(category, 'pit', 6, 40, 48);
  await writeGood(join(category, 'train', 'good'), 5, 170);
  await writeGood(join(category, 'test', 'good'), 4, 175);
  // As `run` leaves them: a dataset for each type; one is a link to a run elsewhere.
  await writeCategory(join(generated, 'dent', 'dataset'), 'dent', 4);
  await writeCategory(join(folder, 'elsewhere', 'dataset'), 'pit', 4);
  symlinkSync(join(folder, 'elsewhere'), join(generated, 'pit'));
  const empty = join(generated, 'pit', 'dataset', 'ground_truth', 'pit', '003_mask.png');
  await sharp({ create: { width: 48, height: 48, channels: 3, background: 'black' } })
    .png()
    .toFile(empty);
});

const SIZE = ['--resolution', '32', '--seeds', '2', '--classifier-iterations', '2'];
const evaluate = (out: string, ...more: string[]) => ['evaluate', '--data', category, '--out', out, ...SIZE, ...more];
const read = (out: string): Evaluation => JSON.parse(readFileSync(join(out, 'evaluation.json'), 'utf8')) as Evaluation;
const withoutTimes = (out: string) => read(out).runs.map(({ seconds: _, ...run }) => run);

describe('dualanodiff evaluate', () => {
  const first = join(folder, 'first');
  const all = ['--generated', `ours=${generated}`, '--iterations', '3'];

  it('compares baselines and generated pairs, on what does not train', async () => {
    const { code, stdout, stderr } = await cli(evaluate(first, ...all));
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
    expect(readFileSync(join(first, 'table.csv'), 'utf8').trim().split('\n')).toHaveLength(1 + 4 * 5 * 8);
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
    expect(report).toContain('ours: good images, most suspected');
    expect(report).toContain('alt="good 003.png: mean probability');
  });

  it('keeps what is done, and gives the same again', async () => {
    const runs = join(first, 'runs');
    const [kept, lost] = readdirSync(runs) as [string, string];
    const before = readFileSync(join(runs, kept), 'utf8');
    const expected = withoutTimes(first);
    rmSync(join(runs, lost));
    expect((await cli(evaluate(first, ...all))).code).toBe(0);
    expect(readFileSync(join(runs, kept), 'utf8')).toBe(before);
    expect(withoutTimes(first)).toEqual(expected);
  });

  it('goes on from a checkpoint after an interruption, with the result of a run that was not interrupted', async () => {
    const [whole, cut] = [join(folder, 'whole'), join(folder, 'cut')];
    const two = ['--compare', 'none', '--jobs', '2', '--iterations', '40', '--no-classifier'];
    expect((await cli(evaluate(whole, ...two))).code).toBe(0);
    const interrupted = await cli(evaluate(cut, ...two), {
      kill: { signal: 'SIGINT', when: /evaluating [12]\d\/80 / },
    });
    expect(interrupted.code).toBe(130);
    expect(existsSync(join(cut, 'evaluation.json'))).toBe(false);
    const checkpoints = readdirSync(join(cut, 'runs'));
    expect(checkpoints).toHaveLength(2); // of both runs that went on
    expect(checkpoints.every((name) => name.endsWith('.checkpoint.safetensors'))).toBe(true);
    expect((await cli(evaluate(cut, ...two))).code).toBe(0);
    expect(withoutTimes(cut)).toEqual(withoutTimes(whole));
    expect(readdirSync(join(cut, 'runs')).every((name) => name.endsWith('.json'))).toBe(true); // the checkpoints are gone
    expect(read(whole).runs[0]?.average.pixelAp).not.toBeNull();
  });

  it('gives the same whatever number of runs goes on at a time, where each has as many threads', async () => {
    const short = ['--compare', 'none,crop-paste', '--iterations', '4'];
    const options = { env: { OMP_NUM_THREADS: '1' } };
    const [one, three] = [join(folder, 'one-job'), join(folder, 'three-jobs')];
    expect((await cli(evaluate(one, ...short, '--jobs', '1'), options)).code).toBe(0);
    expect((await cli(evaluate(three, ...short, '--jobs', '3'), options)).code).toBe(0);
    expect(withoutTimes(three)).toEqual(withoutTimes(one));
  });

  it('goes on with a classifier where only that is missing', async () => {
    const out = join(folder, 'classes');
    const short = evaluate(out, '--compare', 'none', '--seeds', '1', '--iterations', '2');
    expect((await cli([...short, '--no-classifier'])).code).toBe(0);
    expect(read(out).runs[0]?.average.accuracy).toBeNull();
    const detector = readdirSync(join(out, 'runs'));
    expect(detector).toHaveLength(1);
    expect((await cli(short)).code).toBe(0);
    expect(read(out).runs[0]?.types.dent?.accuracy).toBeGreaterThanOrEqual(0);
    expect(readdirSync(join(out, 'runs'))).toHaveLength(2);
    expect(readdirSync(join(out, 'runs'))).toContain(detector[0]);
  });

  it("measures generated sets with the user's own weights", async () => {
    const lpips = join(import.meta.dirname, '../../../shared/fixtures/lpips');
    const files = [join(lpips, 'squeezenet1_1-random.safetensors'), join(lpips, 'squeeze-linear-v0.1.safetensors')];
    const small = ['--compare', '', '--no-with-real', '--seeds', '1', '--iterations', '1', '--no-classifier'];
    const measured = [...small, '--generated', generated, '--lpips-backbone', files[0] as string];
    const { code, stdout } = await cli(
      evaluate(join(folder, 'quality'), ...measured, '--lpips-linear', files[1] as string),
    );
    expect(code).toBe(0);
    expect(stdout).toContain('IC-LPIPS');
    const { quality } = read(join(folder, 'quality'));
    expect(quality.map(({ type, images }) => [type, images])).toEqual([
      ['dent', 4],
      ['pit', 4],
    ]);
    expect(quality.every(({ icLpips, inceptionScore }) => Number(icLpips) > 0 && inceptionScore === undefined)).toBe(
      true,
    );
    const wrong = await cli(
      evaluate(join(folder, 'wrong'), ...small, '--generated', generated, '--inception', files[0] as string),
    );
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('Conv2d_1a_3x3');
    expect(existsSync(join(folder, 'wrong', 'runs'))).toBe(false); // said before anything is trained
    const narrow = await cli(
      evaluate(join(folder, 'narrow'), '--compare', 'none', '--classifier-weights', files[0] as string),
    );
    expect(narrow.code).toBe(2);
    expect(narrow.stderr).toContain('fit the protocol paper');
    const half = await cli(evaluate(join(folder, 'half'), ...measured));
    expect(half.code).toBe(2);
    expect(half.stderr).toContain('--lpips-linear');
  });

  it('tests on what is left where another part than the first trains', async () => {
    const dataset = await Dataset.open(category);
    const { split } = await Evaluator.open(dataset, { trainImages: '1/3@2', compare: ['none'] });
    const names = (of: typeof split.training) => of.get('dent')?.map(({ name }) => name);
    expect(names(split.training)).toEqual(['002', '003']);
    expect(names(split.testing)).toEqual(['000', '001', '004', '005']);
  });

  it('tests on another folder, and trains on all of the first one then', async () => {
    const held = join(folder, 'held');
    await writeCategory(held, 'dent', 6, 56, 48);
    await writeGood(join(held, 'test', 'good'), 2, 180);
    const dataset = await Dataset.open(category);
    const evaluator = await Evaluator.open(dataset, { testData: held, compare: ['none'] });
    expect(evaluator.split.training.get('dent')).toHaveLength(6);
    expect(evaluator.split.testing.get('dent')).toHaveLength(6);
    expect([...evaluator.split.training.keys()]).toEqual(['dent']);
    expect(evaluator.split.testing.get('dent')?.[0]?.image).toContain(held);
  });

  it('makes the pairs of its recipes, from the images that train, and judges them', async () => {
    const out = join(folder, 'recipes');
    const recipes = ['--generate', 'layouts,pasted,mixed,background', '--pairs', '2', '--train-steps', '1'];
    const quick = [...recipes, '--compare', '', '--no-with-real', '--iterations', '1', '--seeds', '1'];
    const { code, stderr } = await cli(evaluate(out, ...quick));
    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
    const evaluation = read(out);
    expect(evaluation.rows).toEqual(['layouts', 'pasted', 'mixed', 'background']);
    expect(evaluation.runs.map(({ defects, emptyMasks }) => defects + emptyMasks)).toEqual([4, 4, 4, 4]);
    const records = (recipe: string, type = 'dent') =>
      readFileSync(join(out, 'generated', recipe, type, 'dataset', 'pairs.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    expect(records('layouts')).toHaveLength(2);
    expect(records('layouts')[0].settings.layouts).toEqual(['000', '001']); // no more than what trains
    expect(records('layouts')[0].agreement['layout/threshold']).toBeGreaterThan(0.8);
    const { settings } = records('mixed')[0];
    expect(settings).toMatchObject({
      ownShare: 0,
      smallOwnShare: 1,
      pasteShare: 0.75,
      pasteTurns: true,
      lightSpread: 0.1,
      exposureSpread: 0.23,
      movedContrast: 1.5,
    });
    expect(records('pasted')[0].settings.pasteShare).toBe(1);
    expect(records('layouts')[0].settings).not.toHaveProperty('pasteShare');
    expect(records('pasted')[0].settings).not.toHaveProperty('pasteTurns');
    expect(['dent', 'pit'].map((type) => records('mixed', type)[0].seed)).toEqual([0, 1]);
    expect(records('pasted')[0].settings).not.toHaveProperty('lightSpread');
    const report = readFileSync(join(out, 'report.html'), 'utf8');
    expect(report).toContain('dent: real, then background');
    const picture = join(out, 'generated', 'background', 'pit', 'dataset', 'test', 'pit', '000000.png');
    const before = statSync(picture).mtimeMs;
    expect((await cli(evaluate(out, ...quick, '--seed', '1'))).code).toBe(0); // keeps the pairs for all seeds
    expect(statSync(picture).mtimeMs).toBe(before);
  });

  it('makes other pairs for each seed where asked', async () => {
    const out = join(folder, 'fresh');
    const pairs = ['--generate', 'pasted', '--pairs', '2', '--fresh-pairs', '--seed', '1', '--no-classifier'];
    const { code } = await cli(evaluate(out, ...pairs, '--compare', '', '--no-with-real', '--iterations', '1'));
    expect(code).toBe(0);
    expect(read(out).runs.map(({ seed, defects }) => [seed, defects])).toEqual([
      [1, 4],
      [2, 4],
    ]);
    const sets = ['seed1', 'seed2'].map((set) => join(out, 'generated', 'pasted', set));
    const seeds = sets.map((set) =>
      ['dent', 'pit'].map((type) => {
        const [line] = readFileSync(join(set, type, 'dataset', 'pairs.jsonl'), 'utf8').split('\n');
        return JSON.parse(line as string).seed;
      }),
    );
    expect(seeds).toEqual([
      [2, 3],
      [4, 5],
    ]);
  });

  it('trains detectors at another learning rate where asked', async () => {
    const scores = async (name: string, ...more: string[]) => {
      const out = join(folder, name);
      const brief = ['--compare', 'none', '--iterations', '3', '--seeds', '1', '--no-classifier'];
      expect((await cli(evaluate(out, ...brief, ...more))).code).toBe(0);
      const { protocol, runs } = read(out);
      return { rate: protocol.learningRate, average: runs[0]?.average };
    };
    const usual = await scores('usual');
    const same = await scores('same', '--learning-rate', '0.0005');
    const higher = await scores('higher', '--learning-rate', '0.01');
    expect(same).toEqual(usual);
    expect(higher.rate).toBe(0.01);
    expect(higher.average).not.toEqual(usual.average);
  });

  it('learns from one folder for each seed', async () => {
    const fewer = join(folder, 'fewer');
    for (const type of ['dent', 'pit']) await writeCategory(join(fewer, type, 'dataset'), type, 2);
    const options = {
      ...{ compare: [], resolution: 32, iterations: 1, classifier: false, seed: 4 },
      generated: { ours: [generated, fewer] },
    };
    const dataset = await Dataset.open(category);
    const evaluator = await Evaluator.open(dataset, { ...options, seeds: 2 });
    const { runs } = await evaluator.evaluate(join(folder, 'sets'));
    expect(runs.map(({ row, seed, defects }) => [row, seed, defects])).toEqual([
      ['ours', 4, 7],
      ['ours', 5, 4],
      ['ours+real', 4, 11],
      ['ours+real', 5, 8],
    ]);
    await expect(Evaluator.open(dataset, { ...options, seeds: 3 })).rejects.toThrow(
      'Expected one folder of ours for all seeds, or 3, one for each, but received 2',
    );
  });

  it('says what is wrong in one line', async () => {
    const fails = async (text: string, code: number, ...more: string[]) => {
      const { stderr, code: actual } = await cli(evaluate(join(folder, 'bad'), ...more));
      expect(stderr).toContain(text);
      expect(actual).toBe(code);
    };
    await fails('has no generated pairs of pit', 1, '--generated', join(generated, 'dent', 'dataset'));
    await fails('holds no generated pairs', 1, '--generated', join(category, 'ground_truth'));
    await fails('Expected some of none, crop-paste, draem', 2, '--compare', 'mosaic');
    await fails('Expected a multiple of 32 for resolution', 2, '--resolution', '50');
    await fails('Expected a number above 0 and up to 1 for learningRate', 2, '--learning-rate', '0');
    await fails('Expected recipes with freshPairs', 2, '--fresh-pairs');
    await fails('There is nothing to evaluate', 2, '--compare', '');
    await fails('Expected some of variations, layouts, pasted, mixed, noise', 2, '--generate', 'wish');
    await fails('layouts is a recipe', 2, '--generate', 'layouts', '--generated', `layouts=${generated}`);
    renameSync(join(category, 'train'), join(category, 'train-elsewhere'));
    await fails('has no good images to train on', 1, '--generate', 'layouts');
    expect(existsSync(join(folder, 'bad', 'generated'))).toBe(false); // said before anything is made
    renameSync(join(category, 'train-elsewhere'), join(category, 'train'));
    renameSync(join(category, 'test', 'good'), join(category, 'good-elsewhere'));
    await fails('has no good images to test on', 1);
  });
});
