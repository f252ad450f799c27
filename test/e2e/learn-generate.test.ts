/** The first page of the API: a model learns a defect and generates pairs, from images in memory or in a folder. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Adapter,
  Dataset,
  DualAnoDiff,
  embedded,
  type GeneratedPair,
  type LearnOptions,
} from '../../lib/index.js';
import { expectFailure } from '../helpers/failures.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const small = { types: ['stain'], resolution: 32, rank: 2, batchSize: 1, steps: 3 } as const;
let model: DualAnoDiff;
let dataset: Dataset;
let adapter: Adapter;

beforeAll(async () => {
  model = await DualAnoDiff.load(); // The embedded base.
  dataset = await Dataset.open(embedded.example);
  adapter = await model.learn(dataset, small);
});
afterAll(async () => {
  await adapter?.dispose();
  await model?.dispose();
});

const collect = async (from: Adapter | string, options: Parameters<DualAnoDiff['generate']>[1] = {}) => {
  const pairs: GeneratedPair[] = [];
  for await (const pair of model.generate(from, { count: 2, steps: 3, ...options })) pairs.push(pair);
  return pairs;
};

describe('model.learn', () => {
  it('learn tells of every step and gives an adapter of the type', async () => {
    const steps: number[] = [];
    await using learned = await model.learn(dataset, { ...small, onProgress: ({ step }) => steps.push(step) });
    expect(steps).toEqual([1, 2, 3]);
    expect(learned.info).toMatchObject({ types: ['stain'], resolution: 32 });
    expect(await learned.digest()).toBe(await adapter.digest()); // The same call gives the same adapter.
  });

  it('learn says what is wrong where it gets something else than a dataset and options', async () => {
    const learn = model.learn.bind(model) as (...given: unknown[]) => Promise<Adapter>;
    await expectFailure(learn(dataset), 'ERR_INVALID_OPTION', 'Expected a list of types for types');
    await expectFailure(learn('tile', small), 'ERR_INVALID_OPTION', 'Expected a Dataset');
    await expectFailure(learn(dataset, { ...small, onProgress: 5 }), 'ERR_INVALID_OPTION', 'onProgress');
    await expectFailure(DualAnoDiff.load(''), 'ERR_INVALID_OPTION', 'Expected a folder or file for base');
    await expectFailure(adapter.save(join(folder, 'b')), 'ERR_INVALID_OPTION', 'ends in .safetensors for file');
  });

  it('generate refuses an option of masks that none of the methods reads', async () => {
    const weights = collect(adapter, { mask: ['threshold'], maskWeights: 'u2net.pth' });
    await expectFailure(weights, 'ERR_INVALID_OPTION', 'no weights without the method u2net for maskWeights');
    await expectFailure(collect(adapter, { mask: [], maskThreshold: 0.2 }), 'ERR_INVALID_OPTION', 'maskThreshold');
  });

  it('learn with out leaves the adapter and its log, and resume goes on where it was aborted', async () => {
    const out = join(folder, 'a.safetensors');
    const controller = new AbortController();
    const onProgress = ({ step }: { step: number }) => step === 2 && controller.abort();
    const aborted = model.learn(dataset, { ...small, out, signal: controller.signal, onProgress });
    await expectFailure(aborted, 'ERR_ABORTED');
    expect(readdirSync(folder)).toContain('a.checkpoint-000002.safetensors');
    const steps: number[] = [];
    const onStep = ({ step }: { step: number }) => steps.push(step);
    await using resumed = await model.learn(dataset, { ...small, out, resume: true, onProgress: onStep });
    expect(steps).toEqual([3]);
    expect(readdirSync(folder).sort()).toEqual(['a.safetensors', 'a.safetensors.jsonl']);
    expect(await resumed.digest()).toBe(await adapter.digest());
  });

  it('learn takes images in memory', async () => {
    const examples = await Dataset.load(await dataset.examples('stain'), 32, 'crop');
    const types = { stain: examples.map(({ pixels, maskPixels }) => ({ image: pixels, mask: maskPixels })) };
    await using learned = await model.learn(Dataset.from({ types, category: dataset.category }), small);
    expect(learned.info.prompts[0]?.global).toBe('brushed metal with a stain');
  });

  it.each([
    [[], 'Expected at least one type for types'],
    [['stain', 'stain'], 'Expected each type once for types'],
    [['good'], 'Expected a defect type beside good for types'],
    ['stain', 'Expected a list of types for types'],
    [undefined, 'Expected a list of types for types'],
  ])('learn refuses %j for types', async (types, message) => {
    const options = { ...small, types } as unknown as LearnOptions;
    await expectFailure(model.learn(dataset, options), 'ERR_INVALID_OPTION', message);
  });

  it('learn trains one adapter on several types and on good images, and generate takes the type', async () => {
    const types = ['stain', 'scratch', 'good'];
    await using learned = await model.learn(dataset, { ...small, types });
    expect(learned.info).toMatchObject({ types, window: 32 }); // Scratches are thin.
    expect(learned.info.prompts.map(({ global }) => global)).toEqual([
      'brushed metal with a stain',
      'brushed metal with a scratch',
      'brushed metal without a defect',
    ]);
    const regions = learned.info.examples.map(({ region }) => region);
    expect(new Set(regions).size).toBe(regions.length);
    const [good] = [await collect(learned, { type: 'good', count: 1, steps: 2 })];
    expect(good).toHaveLength(1);
    await expectFailure(collect(learned, { count: 1 }), 'ERR_INVALID_OPTION', 'Expected one of stain, scratch, good');
    await expectFailure(
      collect(learned, { type: 'dent' }),
      'ERR_INVALID_OPTION',
      'one of stain, scratch, good for type',
    );
  });
});

describe('model.generate', () => {
  it('generate gives 16 pairs with masks by the default method', async () => {
    const pairs: GeneratedPair[] = [];
    for await (const pair of model.generate(adapter)) pairs.push(pair);
    expect(pairs.map(({ index }) => index)).toEqual(Array.from({ length: 16 }, (_, i) => i));
    for (const { image, part, mask, maskMethod, touches } of pairs) {
      expect([image.width, part.width, mask?.width, mask?.channels]).toEqual([32, 32, 32, 1]);
      expect([maskMethod, typeof touches]).toEqual(['u2net', 'boolean']);
    }
  });

  it('generate gives the same pairs from an adapter in memory and from its file', async () => {
    const file = join(folder, 'saved', 'b.safetensors');
    await adapter.save(file);
    expect(await collect(file)).toEqual(await collect(adapter));
  });

  it('generate notes how far several methods of masks agree', async () => {
    const [pair] = await collect(adapter, { mask: ['threshold', 'attention'], count: 1 });
    expect(Object.keys(pair?.agreement ?? {})).toEqual(['threshold/attention']);
    expect(pair?.maskMethod).toBe('threshold');
  });

  it('generate leaves out what is to be skipped, and finds no masks where none are asked for', async () => {
    const pairs = await collect(adapter, { mask: [], skip: new Set([0]) });
    expect(pairs.map(({ index }) => index)).toEqual([1]);
    for (const name of ['mask', 'maskMethod', 'touches', 'agreement']) expect(pairs[0]).not.toHaveProperty(name);
  });

  it('generate refuses the recipe augment and names the function that makes such pairs', async () => {
    const work = collect(adapter, { recipe: 'augment' as 'noise' });
    await expectFailure(work, 'ERR_INVALID_OPTION', 'augment() makes these pairs, without a model');
  });

  it('generate says that it expects an object where its options are none', async () => {
    for (const options of [null, 5]) {
      const next = model.generate(adapter, options as never).next();
      await expectFailure(next, 'ERR_INVALID_OPTION', 'Expected an object for options but received');
    }
  });

  it('generate refuses an adapter that is disposed', async () => {
    const learned = await model.learn(dataset, { ...small, steps: 1 });
    await learned.dispose();
    await expectFailure(collect(learned), 'ERR_DISPOSED', 'disposed');
  });
});
