import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dataset, DualAnoDiff, embedded, Masker, type Pair, Sampler, Trainer } from '../../lib/index.js';
import { SAMPLING_PRESETS } from '../../lib/options/index.js';
import { cli } from '../helpers/cli.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const adapter = join(folder, 'adapter.safetensors');
let model: DualAnoDiff;

beforeAll(async () => {
  model = await DualAnoDiff.load(embedded.base);
  await using trainer = new Trainer(model, { type: 'stain', resolution: 32, rank: 2, batchSize: 2, partFill: 'black' });
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
  it('reads what the adapter says of itself', async () => {
    await using sampler = await Sampler.create(model, adapter);
    expect(sampler.adapter).toMatchObject({
      type: 'stain',
      partFill: 'black',
      resolution: 32,
      globalPrompt: 'brushed metal with a stain',
      anomalyPrompt: 'stain',
    });
  });

  it('draws pair k from the same noise whatever the batch, and the rest after a skip', async () => {
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

  it('draws the same scenes by the fast preset, which the record names', async () => {
    const [plain, fast] = [await collect({ steps: 50 }), await collect(SAMPLING_PRESETS.fast)];
    expect(fast[0]?.image.data).not.toEqual(plain[0]?.image.data);
    const apart = (a: Pair | undefined, b: Pair | undefined) =>
      Math.sqrt((a?.image.data ?? []).reduce((sum, x, i) => sum + (x - (b?.image.data[i] ?? 0)) ** 2, 0));
    expect(apart(fast[0], plain[0])).toBeLessThan(apart(fast[0], plain[1])); // nearer than another pair

    const out = join(folder, 'preset');
    const flags = ['--adapter', adapter, '--out', out, '--count', '1', '--mask', 'none', '--preset', 'fast'];
    expect((await cli(['sample', ...flags, '--steps', '3'])).code).toBe(0); // what is said is not overridden
    const record = JSON.parse(readFileSync(join(out, 'pairs.jsonl'), 'utf8'));
    expect(record.settings).toMatchObject({ ...SAMPLING_PRESETS.fast, steps: 3 });
    const wrong = await cli(['sample', ...flags, '--vary', '0.3']);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('--preset') });
  });

  it('gives the same bytes to the same call, and others to another seed', async () => {
    const first = await collect({});
    expect(await collect({})).toEqual(first);
    expect((await collect({ seed: 10 }))[0]?.image.data).not.toEqual(first[0]?.image.data);
  });

  it("starts from the mean of the training parts' latents where it is asked to: blank is black here", async () => {
    const level = async (startFromLatentMean: boolean) => {
      const values = (await collect({ steps: 10, startFromLatentMean })).flatMap((pair) => [...pair.part.data]);
      return values.reduce((a, b) => a + b) / values.length;
    };
    expect(await level(true)).toBeLessThan(0.8 * (await level(false)));
  });

  it.each(['ddim', 'ddpm', 'euler', 'dpmsolver++', 'dpmsolver++-karras', 'unipc'])(
    'draws with %s',
    async (scheduler) => {
      const [pair] = await collect({ count: 1, scheduler, steps: 3 });
      expect(new Set(pair?.image.data).size).toBeGreaterThan(8);
    },
  );

  it('ends within a step of an abort and reports steps', async () => {
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
    expect(steps.length).toBeLessThan(100);
  });

  it('refuses an adapter of another base, and use after dispose', async () => {
    const shared = join(import.meta.dirname, '../../../shared/fixtures');
    const tiny = await DualAnoDiff.load(join(shared, 'tiny-sd'));
    await expect(Sampler.create(tiny, adapter)).rejects.toMatchObject({ code: 'ERR_ADAPTER_MISMATCH' });
    await tiny.dispose();
    await tiny.dispose();
    await expect(Sampler.create(tiny, adapter)).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
  });

  it('reads the published adapters', async () => {
    const shared = join(import.meta.dirname, '../../../shared/fixtures');
    await using tiny = await DualAnoDiff.load(join(shared, 'tiny-sd'));
    await using sampler = await Sampler.create(tiny, join(shared, 'adapters/dual-official/pytorch_lora_weights.bin'));
    for await (const pair of sampler.sample({ count: 1, steps: 2, resolution: 64 })) expect(pair.part.width).toBe(64);
  });
});

describe('sample and mask on the command line', () => {
  const out = join(folder, 'pairs');
  const args = [
    'sample',
    '--adapter',
    adapter,
    '--out',
    out,
    '--count',
    '3',
    '--steps',
    '3',
    '--batch-size',
    '1',
    '--mask',
    'threshold',
  ];

  it('writes the dataset, resumes what was lost, and refuses other settings', async () => {
    const { code, stdout } = await cli([...args, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ pairs: 3 });
    const list = readFileSync(join(out, 'pairs.jsonl'), 'utf8');
    const [first] = list.split('\n').map((line) => (line ? JSON.parse(line) : undefined));
    expect(first).toMatchObject({
      index: 0,
      seed: 0,
      type: 'stain',
      image: 'test/stain/000000.png',
      mask: 'ground_truth/stain/000000_mask.png',
    });
    const mask = await sharp(join(out, first.mask)).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
    expect(mask.info).toMatchObject({ width: 32, height: 32, channels: 1 });
    expect(await sharp(join(out, first.mask)).metadata()).toMatchObject({ channels: 1, depth: 'uchar' });
    expect([...new Set(mask.data)].every((value) => value === 0 || value === 255)).toBe(true);

    const image = join(out, 'test/stain/000001.png');
    const before = readFileSync(image);
    rmSync(image);
    expect((await cli(args)).stderr).toContain('holds 2 generated pairs: resume, or choose another folder');
    expect((await cli([...args, '--resume'])).code).toBe(0);
    expect(readFileSync(image).equals(before)).toBe(true);
    expect(readFileSync(join(out, 'pairs.jsonl'), 'utf8')).toBe(list);
    expect((await cli([...args, '--resume', '--seed', '1'])).stderr).toContain('other settings');
    expect(readdirSync(out, { recursive: true }).filter((name) => String(name).includes('partial'))).toEqual([]);
  });

  it('masks a folder of parts and reports an empty mask', async () => {
    const parts = join(folder, 'parts');
    const blank = { create: { width: 40, height: 24, channels: 3 as const, background: { r: 128, g: 128, b: 128 } } };
    const square = {
      input: { create: { width: 10, height: 8, channels: 3 as const, background: '#000' } },
      left: 5,
      top: 6,
    };
    (await import('node:fs')).mkdirSync(parts);
    await sharp(blank).png().toFile(join(parts, 'blank.png'));
    await sharp(blank).composite([square]).png().toFile(join(parts, 'square.png'));
    const { code, stdout, stderr } = await cli([
      'mask',
      '--parts',
      parts,
      '--out',
      join(folder, 'masks'),
      '--method',
      'threshold',
      '--json',
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ masks: 2, emptyMasks: 1 });
    expect(stderr).toContain('blank.png: the mask is empty');
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
