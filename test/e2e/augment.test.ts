/** The recipe augment, through the API and the jobs: pairs without a model. */
import { cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readMask } from '../../lib/dataset/mask-file.js';
import {
  type AugmentOptions,
  augment,
  Dataset,
  embedded,
  type GeneratedPair,
  PairWriter,
  readImage,
} from '../../lib/index.js';
import { type CampaignJobOptions, campaign, type JobEvent } from '../../lib/jobs/index.js';
import { cli, flagsOf } from '../helpers/cli.js';
import { expectFailure } from '../helpers/failures.js';
import { contentsOf, recordsOf } from '../helpers/files.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const data = embedded.example;
const SIDE = 64;
let dataset: Dataset;
beforeAll(async () => {
  dataset = await Dataset.open(data);
});

async function collect(options: Partial<AugmentOptions> = {}, from = dataset): Promise<GeneratedPair[]> {
  const pairs: GeneratedPair[] = [];
  const settings = { type: 'stain', count: 4, resolution: SIDE, seed: 5, ...options };
  for await (const pair of augment(from, settings)) pairs.push(pair);
  return pairs;
}
/** Counts the pixels of the part that are not blank although the mask leaves them out. */
const unmarked = ({ part, mask }: GeneratedPair, blank: number): number =>
  [...(mask?.data ?? [])].filter(
    (value, i) => value === 0 && [0, 1, 2].some((channel) => part.data[3 * i + channel] !== blank),
  ).length;

describe('augment', () => {
  it('augment makes 16 pairs of 512 pixels where it is not told otherwise', async () => {
    const pairs: GeneratedPair[] = [];
    for await (const pair of augment(dataset, { type: 'scratch' })) pairs.push(pair);
    expect(pairs).toHaveLength(16);
    expect(pairs[0]?.image).toMatchObject({ width: 512, height: 512, channels: 3 });
  });

  it('augmented pairs have exact masks: the part is the image inside the mask and blank outside', async () => {
    const pairs = await collect({ count: 6 });
    expect(pairs.map(({ index, seed }) => [index, seed])).toEqual([0, 1, 2, 3, 4, 5].map((index) => [index, 5]));
    const blank = pairs[0]?.part.data.includes(128) ? 128 : 0;
    for (const pair of pairs) {
      const { image, part, mask } = pair;
      expect(pair).toMatchObject({ maskMethod: 'exact', touches: true });
      expect(mask).toMatchObject({ width: SIDE, height: SIDE, channels: 1 });
      expect(new Set(mask?.data)).toEqual(new Set([0, 255]));
      expect(unmarked(pair, blank)).toBe(0);
      const inside = [...image.data.keys()].filter((i) => mask?.data[Math.floor(i / 3)] === 255);
      expect(inside.every((i) => image.data[i] === part.data[i])).toBe(true);
    }
  });

  it('augmented pair k is the same whatever the count, and another one for another seed', async () => {
    const all = await collect();
    expect(await collect({ count: 2 })).toEqual(all.slice(0, 2));
    expect((await collect({ count: 1, seed: 6 }))[0]?.image.data).not.toEqual(all[0]?.image.data);
  });

  it('augment takes defects from the images that train, and no others', async () => {
    const few = await collect({ trainImages: 1 });
    expect(few).not.toEqual(await collect());
    const [example] = await dataset.trainingExamples('stain', 1);
    const image = await readImage(example?.image as string);
    const mask = await readMask(example?.mask as string);
    const good = await Promise.all((await dataset.goodImages()).map((file) => readImage(file)));
    const alone = Dataset.from({ types: { stain: [{ image, mask }] }, good });
    expect(await collect({ trainImages: 'all' }, alone)).toEqual(few);
  });

  it('augment shows defects in other places and light than the photographs', async () => {
    const [one, two] = await collect({ count: 2 });
    expect(one?.mask?.data).not.toEqual(two?.mask?.data);
    const real = await Dataset.load(await dataset.examples('stain'), SIDE, 'crop');
    for (const pair of [one, two]) {
      for (const { pixels } of real) expect(pair?.image.data).not.toEqual(pixels.data);
    }
  });

  it('augment ends with its signal, and gives its reason', async () => {
    const controller = new AbortController();
    const drawing = async () => {
      const options = { type: 'stain', count: 1000, resolution: SIDE, signal: controller.signal };
      for await (const { index } of augment(dataset, options)) {
        if (index === 5) controller.abort(new Error('enough'));
      }
    };
    await expect(drawing()).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: { message: 'enough' } });
  });

  it('augment can be left while it draws ahead, whichever way, and gives the same pairs afterwards', async () => {
    const [first] = await collect({ count: 1 });
    const settings = { type: 'stain', count: 1000, resolution: SIDE, seed: 5 };
    for await (const pair of augment(dataset, settings)) {
      expect(pair).toEqual(first);
      break;
    }
    const drawing = async () => {
      for await (const { index } of augment(dataset, settings)) throw new Error(`left at ${index}`);
    };
    await expect(drawing()).rejects.toThrow('left at 0');
    expect(await collect({ count: 1 })).toEqual([first]);
  });

  it('augment names a type that is not there, and an option that it does not have', async () => {
    const first = (options: object) => augment(dataset, options as AugmentOptions).next();
    await expectFailure(first({ type: 'dent' }), 'ERR_DATASET_INVALID', 'has no defect type dent');
    await expectFailure(first({ type: 'stain', steps: 50 }), 'ERR_INVALID_OPTION', 'Unknown option steps');
    await expectFailure(first({}), 'ERR_INVALID_OPTION', 'for type but received nothing');
  });

  it('augment needs good images', async () => {
    const real = await dataset.examples('stain');
    const stain = real.map(({ image, mask }) => ({ image: image as string, mask: mask as string }));
    const without = Dataset.from({ types: { stain } });
    await expectFailure(augment(without, { type: 'stain' }).next(), 'ERR_DATASET_INVALID', 'good images');
  });

  it('augmented pairs are written with their masks by a PairWriter', async () => {
    const out = join(folder, 'written');
    await using writer = await PairWriter.open(out, { type: 'stain', recipe: 'augment' });
    for (const pair of await collect({ count: 2 })) await writer.write(pair);
    const records = recordsOf(out);
    expect(records).toMatchObject([{ maskMethod: 'exact', empty: false, recipe: 'augment', synthetic: true }, {}]);
    expect(records[0]).not.toHaveProperty('adapter');
    expect((await readMask(join(out, records[0]?.mask as string))).width).toBe(SIDE);
  });
});

describe('a campaign of the recipe augment', () => {
  const options = (out: string): CampaignJobOptions => ({
    ...{ data, type: 'stain', out, recipe: 'augment', count: 6, resolution: SIDE, seed: 5 },
  });

  it('run --recipe augment writes pairs and a report without a base and without training', async () => {
    const out = join(folder, 'run');
    const { code, stdout, stderr } = await cli(['run', ...flagsOf(options(out)), '--json']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const { types, failures } = JSON.parse(stdout);
    expect(failures).toEqual([]);
    expect(types).toMatchObject([{ type: 'stain', pairs: 6, emptyMasks: 0, firstLoss: null, trainSeconds: 0 }]);
    expect(types[0]).not.toHaveProperty('adapter');
    expect(readdirSync(join(out, 'stain')).sort()).toEqual(['dataset', 'report.html', 'thumbnails']);
    const examples = (await dataset.examples('stain')).map(({ name }) => name);
    for (const record of recordsOf(join(out, 'stain', 'dataset'))) {
      expect(record).toMatchObject({ recipe: 'augment', synthetic: true, maskMethod: 'exact', empty: false, seed: 5 });
      expect(record).not.toHaveProperty('adapter');
      expect(record.settings).toMatchObject({ resolution: SIDE, fit: 'crop', seed: 5, examples });
    }
    expect(readFileSync(join(out, 'stain', 'report.html'), 'utf8')).toContain('augment');
  });

  it('a campaign of augment makes the pairs of the API and tells of each', async () => {
    const out = join(folder, 'api');
    const done: number[] = [];
    const onEvent = (event: JobEvent) => event.event === 'progress' && done.push(event.done);
    const { types } = await campaign(options(out), { onEvent });
    expect(done).toEqual([1, 2, 3, 4, 5, 6]);
    const pairs = await collect({ count: 6 });
    const dataset = types[0]?.dataset as string;
    for (const [i, { image, part, mask }] of recordsOf(dataset).entries()) {
      expect((await readImage(join(dataset, image))).data).toEqual(pairs[i]?.image.data);
      expect((await readImage(join(dataset, part))).data).toEqual(pairs[i]?.part.data);
      expect((await readMask(join(dataset, mask as string))).data).toEqual(pairs[i]?.mask?.data);
    }
  });

  it('a campaign of augment makes every type of a category', async () => {
    const { type: _, ...all } = options(join(folder, 'all'));
    const { types } = await campaign({ ...all, count: 1 });
    expect(types.map(({ type, pairs }) => [type, pairs])).toEqual([
      ['scratch', 1],
      ['stain', 1],
    ]);
  });

  it('a campaign of augment that is resumed makes only the pairs that are missing', async () => {
    const [whole, resumed] = [join(folder, 'whole'), join(folder, 'resumed')];
    await campaign(options(whole));
    await campaign({ ...options(resumed), count: 2 });
    const first = join(resumed, 'stain', 'dataset', 'test', 'stain', '000000.png');
    const before = statSync(first).mtimeMs;
    await expectFailure(campaign(options(resumed)), 'ERR_DATASET_INVALID', 'holds 2 generated pairs: resume');
    await campaign({ ...options(resumed), resume: true });
    expect(statSync(first).mtimeMs).toBe(before);
    const datasetOf = (out: string) => contentsOf(join(out, 'stain', 'dataset'));
    expect(datasetOf(resumed)).toEqual(datasetOf(whole));
    const other = campaign({ ...options(resumed), seed: 6, resume: true });
    await expectFailure(other, 'ERR_DATASET_INVALID', 'choose another folder');
  });

  it('a campaign of augment does not go on with pairs of other images', async () => {
    const [changed, out] = [join(folder, 'changed'), join(folder, 'of changed')];
    cpSync(data, changed, { recursive: true });
    await campaign({ ...options(out), data: changed, count: 1 });
    const [one, two] = readdirSync(join(changed, 'train', 'good')) as [string, string];
    cpSync(join(changed, 'train', 'good', one), join(changed, 'train', 'good', two));
    const work = campaign({ ...options(out), data: changed, count: 2, resume: true });
    await expectFailure(work, 'ERR_DATASET_INVALID', 'choose another folder');
  });

  it.each<Partial<CampaignJobOptions>>([
    { steps: 50 },
    { base: data },
    { trainSteps: 5 },
    { mask: ['threshold'] },
    { partFill: 'black' },
    { keepBest: '50%' },
    { device: 'cpu' },
  ])('a campaign of augment refuses %j, which it would not use', async (more) => {
    const out = join(folder, 'refused');
    const [name] = Object.keys(more);
    const work = campaign({ ...options(out), ...more });
    await expectFailure(work, 'ERR_INVALID_OPTION', `does not use ${name}: leave it out`);
    expect(existsSync(out)).toBe(false);
  });
});
