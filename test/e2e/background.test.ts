import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Background,
  Dataset,
  DualAnoDiff,
  embedded,
  loadBackgrounds,
  type Pair,
  Sampler,
  Trainer,
} from '../../lib/index.js';
import { generate, learn } from '../../lib/jobs/index.js';
import { startProfile, stopProfile } from '../../lib/profile.js';
import { expectFailure } from '../helpers/failures.js';
import { recordsOf } from '../helpers/files.js';
import { readTensor } from '../helpers/safetensors.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const SIZE = 32;
const TRAINING = { types: ['stain'], resolution: SIZE, window: 'off', rank: 4, batchSize: 8, flips: false } as const;

/** The example set in two lights. */
async function twoLights(): Promise<string> {
  const category = join(folder, 'two_lights');
  for (const part of ['train/good', 'test/stain', 'ground_truth/stain']) {
    mkdirSync(join(category, part), { recursive: true });
    for (const [i, name] of readdirSync(join(embedded.example, part)).entries()) {
      const [from, to] = [join(embedded.example, part, name), join(category, part, name)];
      if (part.startsWith('ground')) cpSync(from, to);
      else
        await sharp(from)
          .linear(...(i % 2 === 0 ? ([0.35, 0] as const) : ([0.6, 100] as const)))
          .toFile(to);
    }
  }
  return category;
}

describe('background compensation', () => {
  let model: DualAnoDiff;
  let category: string;
  let backgrounds: Background[];
  beforeAll(async () => {
    model = await DualAnoDiff.load(embedded.base);
    category = await twoLights();
    const good = await (await Dataset.open(category)).goodImages();
    backgrounds = await loadBackgrounds(good.slice(0, 2), SIZE, 'crop', 'none');
  });
  afterAll(() => model.dispose());

  const train = async (background: 'off' | 'add', steps: number) => {
    await using trainer = new Trainer(model, { ...TRAINING, background, foregroundMasks: 'none' });
    const file = join(folder, `${background}-${steps}.safetensors`);
    for await (const _ of trainer.train(await Dataset.open(category), { steps }));
    if (background !== 'off') expect((await trainer.preview({ steps: 2 })).image.width).toBe(SIZE);
    await trainer.save(file);
    return file;
  };
  const SAMPLING = { count: 4, steps: 12, scheduler: 'dpmsolver++', guidanceScale: 1, seed: 3 } as const;

  it('background compensation trains gamma, and samples other pairs before another background', async () => {
    const file = await train('add', 12);
    const gammas = [...readTensor(file, /background\.gamma$/)].map(([value]) => value as number);
    expect(gammas.length).toBeGreaterThan(0);
    expect(gammas.every((gamma) => gamma !== Math.fround(0.1))).toBe(true);
    await using sampler = await Sampler.create(model, file);
    const first = async (background: Background | undefined) => {
      const options = { ...SAMPLING, count: 1, steps: 3, backgrounds: [background as Background] };
      return ((await sampler.sample(options).next()).value as Pair).image.data;
    };
    const bright = await first(backgrounds[1]);
    expect(await first(backgrounds[1])).toEqual(bright);
    expect(await first(backgrounds[0])).not.toEqual(bright);
  });

  it('pairs show the background that sampling is given, which those of training without it do not', async () => {
    const STEPS = 60;
    /** Mean absolute difference from the background, where the part is blank. */
    const distance = (pair: Pair, { image }: Background): number => {
      const blank = [...pair.image.data.keys()].filter((i) => Math.abs((pair.part.data[i] as number) - 127.5) < 30);
      const differences = blank.map((i) => Math.abs((pair.image.data[i] as number) - (image.data[i] as number)));
      return differences.reduce((sum, value) => sum + value, 0) / differences.length;
    };
    const distances = async (file: string, background: Background, given: boolean) => {
      await using sampler = await Sampler.create(model, file);
      const values: number[] = [];
      const options = given ? { ...SAMPLING, backgrounds: [background] } : SAMPLING;
      for await (const pair of sampler.sample(options)) values.push(distance(pair, background));
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    };
    const [add, off] = [await train('add', STEPS), await train('off', STEPS)];
    for (const background of backgrounds) {
      expect(await distances(add, background, true)).toBeLessThan(0.6 * (await distances(off, background, false)));
    }
  });

  it('pair k is the same whatever the batch, with fixed and with fresh noise of the background', async () => {
    await using sampler = await Sampler.create(model, await train('add', 1));
    for (const backgroundNoise of ['fixed', 'fresh'] as const) {
      const draw = async (batchSize: number) => {
        const pairs: Pair[] = [];
        const options = { ...SAMPLING, steps: 3, guidanceScale: 2.5, backgrounds, backgroundEvery: 1, backgroundNoise };
        for await (const pair of sampler.sample({ ...options, batchSize })) pairs.push(pair);
        return pairs;
      };
      const [together, alone] = [await draw(4), await draw(1)];
      for (const [k, pair] of together.entries()) {
        const other = (alone[k] as Pair).image.data;
        expect(pair.image.data.every((value, i) => Math.abs(value - (other[i] as number)) <= 1)).toBe(true);
      }
    }
  });

  it('the features of a shared background are kept for later batches, on the device and on the host', async () => {
    await using sampler = await Sampler.create(model, await train('add', 1));
    const shared = {
      ...SAMPLING,
      count: 4,
      steps: 3,
      guidanceScale: 2.5,
      backgrounds,
      backgroundEvery: 2,
      batchSize: 1,
    };
    const draw = async (keepBackgroundFeatures: 'no' | 'device' | 'host') => {
      const pairs: Pair[] = [];
      await startProfile();
      for await (const pair of sampler.sample({ ...shared, keepBackgroundFeatures })) pairs.push(pair);
      const { stages } = await stopProfile();
      return { pairs, passes: stages.find(({ name }) => name === 'denoise: background')?.calls };
    };
    const plain = await draw('no');
    expect(plain.passes).toBe(4 * 3);
    for (const where of ['device', 'host'] as const) {
      const kept = await draw(where);
      expect(kept.passes).toBe(2 * 3); // once for each background
      for (const [k, pair] of kept.pairs.entries()) {
        const other = (plain.pairs[k] as Pair).image.data;
        expect(pair.image.data.every((value, i) => Math.abs(value - (other[i] as number)) <= 1)).toBe(true);
      }
    }
    const fresh = { ...shared, backgroundNoise: 'fresh', keepBackgroundFeatures: 'host' } as const;
    await expect(sampler.sample(fresh).next()).rejects.toThrow('Expected no for keepBackgroundFeatures');
  });

  it('backgrounds that are missing, not wanted or of another size, and missing masks, are errors that say so', async () => {
    const [add, off] = [await train('add', 1), await train('off', 1)];
    const first = async (file: string, options: object) => {
      await using sampler = await Sampler.create(model, file);
      return await sampler.sample({ ...SAMPLING, count: 1, ...options }).next();
    };
    await expect(first(add, {})).rejects.toThrow('it needs background images');
    await expect(first(off, { backgrounds })).rejects.toThrow('cannot use background images');
    const wrong = await loadBackgrounds([(backgrounds[0] as Background).label], 64, 'crop', 'none');
    await expect(first(add, { backgrounds: wrong })).rejects.toThrow('Expected backgrounds of 32 x 32');
    const masks = join(folder, 'no-masks');
    mkdirSync(masks);
    const out = join(folder, 'x.safetensors');
    const work = learn({ data: category, type: 'stain', out, background: 'add', foregroundMasks: masks });
    await expectFailure(work, 'ERR_DATASET_INVALID', 'has no foreground mask: expected');
  });

  it('pairs record what found the foregrounds, and are not continued with another model', async () => {
    const out = join(folder, 'recorded');
    const job = {
      ...{ adapter: await train('add', 1), out, count: 1, backgroundImages: join(category, 'train/good') },
      ...{ steps: 2, mask: [] },
    };
    await generate({ ...job, foregroundMasks: 'none' });
    expect(recordsOf(out).map(({ settings }) => settings.foreground)).toEqual(['none']);
    const other = generate({ ...job, count: 2, resume: true, foregroundWeights: embedded.maskModel });
    await expectFailure(other, 'ERR_DATASET_INVALID', 'foreground: "none", now "u2netp.safetensors"');
  });
});
