import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dataset, DualAnoDiff, embedded, Masker, type Pair, Sampler, Trainer } from '../../lib/index.js';
import { generate, type JobEvent, mask } from '../../lib/jobs/index.js';
import { cli, flagsOf } from '../helpers/cli.js';
import { expectFailure } from '../helpers/failures.js';
import { leftoversOf, recordsOf } from '../helpers/files.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const adapter = join(folder, 'adapter.safetensors');
let model: DualAnoDiff;

beforeAll(async () => {
  model = await DualAnoDiff.load(embedded.base);
  await using trainer = new Trainer(model, {
    types: ['stain'],
    resolution: 32,
    rank: 2,
    batchSize: 2,
    partFill: 'black',
  });
  for await (const _ of trainer.train(await Dataset.open(embedded.example), { steps: 3 }));
  await trainer.save(adapter);
});
afterAll(() => model.dispose());

const collect = async (options: object): Promise<Pair[]> => {
  await using sampler = await Sampler.create(model, adapter);
  const pairs: Pair[] = [];
  for await (const pair of sampler.sample({ count: 3, steps: 4, seed: 9, ...options })) pairs.push(pair);
  return pairs;
};

describe('Sampler', () => {
  it('a sampler reads what the adapter says of itself', async () => {
    await using sampler = await Sampler.create(model, adapter);
    expect(sampler.adapter).toMatchObject({
      types: ['stain'],
      partFill: 'black',
      resolution: 32,
      window: 88, // The photographs of the example set have 128 pixels, and their stains up to 69.
      prompts: [{ global: 'brushed metal with a stain', anomaly: 'stain' }],
    });
  });

  it('pair k starts from the same noise whatever the batch, and those to skip are left out', async () => {
    const together = await collect({ batchSize: 3 });
    const apart = await collect({ batchSize: 1 });
    const rest = await collect({ skip: new Set([0]) });
    expect(rest.map((pair) => pair.index)).toEqual([1, 2]);
    for (const [index, pair] of together.entries()) {
      const far = (other: Pair | undefined) =>
        Math.max(...pair.image.data.map((value, i) => Math.abs(value - (other?.image.data[i] as number))));
      expect(far(apart[index])).toBeLessThanOrEqual(1); // sums in another order: a level at most
      if (index > 0) expect(far(rest[index - 1])).toBeLessThanOrEqual(1);
    }
    expect(together[0]?.image.data).not.toEqual(together[1]?.image.data);
  });

  it('the preset fast gives nearly the same pairs, and the record holds its settings', async () => {
    const [plain, fast] = [await collect({ steps: 50 }), await collect({ preset: 'fast', steps: undefined })];
    expect(fast[0]?.image.data).not.toEqual(plain[0]?.image.data);
    const apart = (a: Pair | undefined, b: Pair | undefined) =>
      Math.sqrt((a as Pair).image.data.reduce((sum, x, i) => sum + (x - (b?.image.data[i] ?? 0)) ** 2, 0));
    expect(apart(fast[0], plain[0])).toBeLessThan(apart(fast[0], plain[1])); // nearer than another pair

    const out = join(folder, 'preset');
    await generate({ adapter, out, count: 1, mask: [], preset: 'fast', steps: 3 }); // What is given wins.
    const fewer = { scheduler: 'dpmsolver++', guidanceInterval: [0.2, 1], reuseFeatures: 2, steps: 3 };
    expect(recordsOf(out)[0]?.settings).toMatchObject(fewer);
  });

  it('sampling gives the same bytes to the same call, and others to another seed', async () => {
    const first = await collect({});
    expect(await collect({})).toEqual(first);
    expect((await collect({ seed: 10 }))[0]?.image.data).not.toEqual(first[0]?.image.data);
  });

  it("sampling starts from the mean of the training parts' latents where it is asked to: blank is black here", async () => {
    const level = async (startFromLatentMean: boolean) => {
      const values = (await collect({ steps: 10, startFromLatentMean })).flatMap((pair) => [...pair.part.data]);
      return values.reduce((a, b) => a + b) / values.length;
    };
    expect(await level(true)).toBeLessThan(0.8 * (await level(false)));
  });

  it.each(['ddim', 'ddpm', 'euler', 'dpmsolver++', 'dpmsolver++-karras', 'unipc'])(
    'sampling with the scheduler %s gives pictures',
    async (scheduler) => {
      const [pair] = await collect({ count: 1, scheduler, steps: 3 });
      expect(new Set(pair?.image.data).size).toBeGreaterThan(8);
    },
  );

  it('sampling reports its steps, and ends within one of an abort', async () => {
    await using sampler = await Sampler.create(model, adapter);
    const controller = new AbortController();
    const steps: number[] = [];
    const onProgress = (step: number) => {
      steps.push(step);
      if (step === 5) controller.abort();
    };
    const run = async () => {
      for await (const _ of sampler.sample({ count: 1, steps: 500, signal: controller.signal, onProgress }));
    };
    await expect(run()).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(steps.slice(0, 5)).toEqual([1, 2, 3, 4, 5]);
    expect(steps.length).toBeLessThan(100);
  });

  it('an adapter of another base and a model that is disposed are refused', async () => {
    const shared = join(import.meta.dirname, '../../../shared/fixtures');
    const tiny = await DualAnoDiff.load(join(shared, 'tiny-sd'));
    await expect(Sampler.create(tiny, adapter)).rejects.toMatchObject({ code: 'ERR_ADAPTER_MISMATCH' });
    await tiny.dispose();
    await tiny.dispose();
    await expect(Sampler.create(tiny, adapter)).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
  });

  it('a sampler reads adapters of the published code', async () => {
    const shared = join(import.meta.dirname, '../../../shared/fixtures');
    await using tiny = await DualAnoDiff.load(join(shared, 'tiny-sd'));
    await using sampler = await Sampler.create(tiny, join(shared, 'adapters/dual-official/pytorch_lora_weights.bin'));
    for await (const pair of sampler.sample({ count: 1, steps: 2, resolution: 64 })) expect(pair.part.width).toBe(64);
  });
});

describe('sample and mask on the command line', () => {
  const out = join(folder, 'pairs');
  const options = { adapter, out, count: 3, steps: 3, batchSize: 1, mask: ['threshold' as const] };

  it('sample writes the dataset, resumes what was lost, and refuses other settings', async () => {
    const { code, stdout } = await cli(['sample', ...flagsOf(options), '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ out, pairs: 3, dropped: 0 });
    const list = readFileSync(join(out, 'pairs.jsonl'), 'utf8');
    const [first] = recordsOf(out);
    expect(first).toMatchObject({
      index: 0,
      seed: 0,
      type: 'stain',
      image: 'test/stain/000000.png',
      mask: 'ground_truth/stain/000000_mask.png',
      recipe: 'noise',
      synthetic: true,
    });
    const maskFile = join(out, first?.mask as string);
    const mask = await sharp(maskFile).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
    expect(mask.info).toMatchObject({ width: 32, height: 32, channels: 1 });
    expect(await sharp(maskFile).metadata()).toMatchObject({ channels: 1, depth: 'uchar' });
    expect([...new Set(mask.data)].every((value) => value === 0 || value === 255)).toBe(true);

    const image = join(out, 'test/stain/000001.png');
    const before = readFileSync(image);
    rmSync(image);
    const again = ['holds 2 generated pairs: resume, or choose another folder'];
    await expectFailure(generate(options), 'ERR_DATASET_INVALID', ...again);
    await generate({ ...options, resume: true });
    expect(readFileSync(image).equals(before)).toBe(true);
    expect(readFileSync(join(out, 'pairs.jsonl'), 'utf8')).toBe(list);
    const other = generate({ ...options, resume: true, seed: 1 });
    await expectFailure(other, 'ERR_DATASET_INVALID', 'holds pairs of another adapter, recipe or settings (');
    expect(leftoversOf(out)).toEqual([]);
  });

  it('mask finds the masks of a folder of parts and warns of one that is empty', async () => {
    const parts = join(folder, 'parts');
    const blank = { create: { width: 40, height: 24, channels: 3 as const, background: { r: 128, g: 128, b: 128 } } };
    const square = {
      input: { create: { width: 10, height: 8, channels: 3 as const, background: '#000' } },
      left: 5,
      top: 6,
    };
    mkdirSync(parts);
    await sharp(blank).png().toFile(join(parts, 'blank.png'));
    await sharp(blank).composite([square]).png().toFile(join(parts, 'square.png'));
    const events: JobEvent[] = [];
    const onEvent = (event: JobEvent) => events.push(event);
    const made = await mask({ parts, out: join(folder, 'masks'), mask: 'threshold' }, { onEvent });
    expect(made).toMatchObject({ masks: 2, emptyMasks: 1 });
    expect(events).toEqual([
      { event: 'warning', message: expect.stringContaining('blank.png: the mask is empty') },
      { event: 'progress', stage: 'mask', unit: 'parts', done: 1, total: 2 },
      { event: 'progress', stage: 'mask', unit: 'parts', done: 2, total: 2 },
    ]);
    const { data, info } = await sharp(join(folder, 'masks/square_mask.png'))
      .toColourspace('b-w')
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 40, height: 24 });
    expect(data[10 * 40 + 9]).toBe(255);
    expect(data[20 * 40 + 35]).toBe(0);
  });
});

describe('the embedded mask model', () => {
  // Scratches are two to four pixels wide: there, one pixel of border halves the overlap.
  it.each([
    ['stain', 0.8],
    ['scratch', 0.45],
  ])('finds every %s of the example set on blank ground, with a mean overlap of %d', async (type, least) => {
    await using masker = await Masker.load();
    const dataset = await Dataset.open(embedded.example);
    const overlaps: number[] = [];
    for (const example of await Dataset.load(await dataset.examples(type), 128, 'crop')) {
      const truth = example.maskPixels.data;
      const data = example.pixels.data.map((value, i) => (truth[Math.floor(i / 3)] ? value : 128));
      const mask = await masker.mask({ ...example.pixels, data });
      const count = (test: (i: number) => boolean) => truth.filter((_, i) => test(i)).length;
      overlaps.push(count((i) => !!mask.data[i] && !!truth[i]) / count((i) => !!mask.data[i] || !!truth[i]));
    }
    expect(Math.min(...overlaps)).toBeGreaterThan(0.2);
    expect(overlaps.reduce((a, b) => a + b) / overlaps.length).toBeGreaterThan(least);
  });
});
