import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readImage, resizeImage } from '../../lib/dataset/image-file.js';
import { readMask } from '../../lib/dataset/mask-file.js';
import {
  Dataset,
  DualAnoDiff,
  embedded,
  Layouts,
  type LayoutsOptions,
  type Pair,
  Sampler,
  Trainer,
} from '../../lib/index.js';
import { cli } from '../helpers/cli.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const adapter = join(folder, 'adapter.safetensors');
const SIDE = 64;
let model: DualAnoDiff;
let sampler: Sampler;
let layouts: Layouts;

beforeAll(async () => {
  model = await DualAnoDiff.load(embedded.base);
  const dataset = await Dataset.open(embedded.example);
  await using trainer = new Trainer(model, { type: 'stain', resolution: SIDE, rank: 8, trainImages: '1/1' });
  for await (const _ of trainer.train(dataset, { steps: 5 }));
  await trainer.save(adapter);
  sampler = await Sampler.create(model, adapter);
  const examples = await dataset.trainingExamples('stain', '1/1');
  layouts = await Layouts.create(examples, await dataset.goodImages(), { resolution: SIDE, seed: 5 });
});
afterAll(async () => {
  await sampler.dispose();
  await layouts.dispose();
  await model.dispose();
});

const draw = async (strength: number, batchSize = 4): Promise<Pair[]> => {
  const pairs: Pair[] = [];
  const options = { count: 4, batchSize, seed: 5, steps: 10, scheduler: 'ddim', layouts, strength } as const;
  for await (const pair of sampler.sample(options)) pairs.push(pair);
  return pairs;
};
const maskOf = ({ mask }: Pair): Uint8Array => mask?.data ?? new Uint8Array();
/** The largest difference of two pictures' bytes, where `counts` says so of a pixel. */
const difference = (a: Uint8Array, b: Uint8Array, counts: (pixel: number) => boolean): number =>
  a.reduce(
    (most, value, i) => (counts(Math.floor(i / 3)) ? Math.max(most, Math.abs(value - (b[i] as number))) : most),
    0,
  );
/** Whether any pixel within `reach` of this one is set. */
const near = (mask: Uint8Array, pixel: number, reach: number): boolean => {
  const [row, column] = [Math.floor(pixel / SIDE), pixel % SIDE];
  for (let y = Math.max(0, row - reach); y <= Math.min(SIDE - 1, row + reach); y++) {
    for (let x = Math.max(0, column - reach); x <= Math.min(SIDE - 1, column + reach); x++) {
      if ((mask[y * SIDE + x] as number) > 0) return true;
    }
  }
  return false;
};

describe('variations of real pairs', () => {
  it('are the layouts themselves at strength 0: image and part agree in the mask, the rest of the part is blank', async () => {
    for (const pair of await draw(0)) {
      const mask = maskOf(pair);
      expect(mask.some((value) => value > 0)).toBe(true);
      expect(difference(pair.image.data, pair.part.data, (pixel) => (mask[pixel] as number) > 0)).toBeLessThanOrEqual(
        1,
      );
      const blank = new Uint8Array(pair.part.data.length).fill(128);
      expect(difference(pair.part.data, blank, (pixel) => mask[pixel] === 0)).toBeLessThanOrEqual(1);
    }
  });

  it('change the defect and nothing else, the more the stronger', async () => {
    const [still, weak, strong] = [await draw(0), await draw(0.2), await draw(0.8)];
    let [byWeak, byStrong] = [0, 0];
    for (const [i, before] of still.entries()) {
      const mask = maskOf(before);
      for (const pairs of [weak, strong]) {
        const after = pairs[i] as Pair;
        expect(maskOf(after)).toEqual(mask);
        expect(difference(before.image.data, after.image.data, (pixel) => !near(mask, pixel, 4))).toBe(0);
        expect(difference(before.part.data, after.part.data, (pixel) => mask[pixel] === 0)).toBe(0);
      }
      const sum = ({ image }: Pair) =>
        image.data.reduce((total, value, k) => total + Math.abs(value - (before.image.data[k] as number)), 0);
      byWeak += sum(weak[i] as Pair);
      byStrong += sum(strong[i] as Pair);
    }
    expect(byWeak).toBeGreaterThan(0);
    expect(byStrong).toBeGreaterThan(byWeak);
  });

  it('do not depend on the batch, and can be drawn step by step', async () => {
    const expected = await draw(0.5);
    const single = await draw(0.5, 1);
    // Products of other sizes round differently, by a level at most.
    for (const [i, pair] of single.entries()) {
      expect(difference(pair.image.data, (expected[i] as Pair).image.data, () => true)).toBeLessThanOrEqual(1);
    }
    const stepwise = { indices: [0, 1, 2, 3], seed: 5, steps: 10, scheduler: 'ddim', layouts, strength: 0.5 } as const;
    await using batch = await sampler.begin(stepwise);
    expect([batch.position, batch.timesteps.length]).toEqual([5, 10]);
    while (!batch.done) await batch.step();
    expect((await batch.decode()).map(({ image }) => image.data)).toEqual(expected.map(({ image }) => image.data));
  });

  it('show the latents of layouts that stay as they are', async () => {
    const still = await draw(0);
    const stepwise = { indices: [0, 1, 2, 3], seed: 5, steps: 10, scheduler: 'ddim', layouts, strength: 0 } as const;
    await using batch = await sampler.begin(stepwise);
    expect(batch.done).toBe(true);
    const { shape, data } = batch.latents;
    const size = data.length / (shape[0] as number);
    const images = still.flatMap(({ image, part }) => [image, part]);
    expect(shape[0]).toBe(images.length);
    for (const [row, image] of images.entries()) {
      const expected = (await model.encode(image)).data; // of levels, which the layouts are rounded to
      const largest = expected.reduce(
        (most, x, i) => Math.max(most, Math.abs(x - (data[row * size + i] as number))),
        0,
      );
      expect(largest).toBeLessThan(0.05);
      expect(expected.some((x) => Math.abs(x) > 0.2)).toBe(true);
    }
    expect((await batch.decode()).map(({ image }) => image.data)).toEqual(still.map(({ image }) => image.data));
  });

  it('stand on good images as they are, resized sharply', async () => {
    const dataset = await Dataset.open(embedded.example);
    const examples = await dataset.trainingExamples('stain', '1/1');
    const files = await dataset.goodImages();
    const grounds = await Promise.all(
      files.map(async (file) => resizeImage(await readImage(file), SIDE, SIDE, 'lanczos3')),
    );
    const flips = [0, 1, 2, 3].map((flip) => (pixel: number) => {
      const [row, column] = [Math.floor(pixel / SIDE), pixel % SIDE];
      return (flip & 1 ? SIDE - 1 - row : row) * SIDE + (flip & 2 ? SIDE - 1 - column : column);
    });
    const turned = grounds.flatMap(({ data }) =>
      flips.map((flip) => data.map((_, i) => data[3 * flip(Math.floor(i / 3)) + (i % 3)] as number)),
    );
    await using pasted = await Layouts.create(examples, files, { resolution: SIDE, seed: 5, pasteShare: 1 });
    const options = { count: 3, seed: 5, steps: 4, scheduler: 'ddim', layouts: pasted, strength: 0 } as const;
    for await (const pair of sampler.sample(options)) {
      const off = (pixel: number) => maskOf(pair)[pixel] === 0;
      const nearest = Math.min(...turned.map((ground) => difference(pair.image.data, ground, off)));
      expect(nearest).toBeLessThanOrEqual(1);
    }
  });

  it('are pasted and lit otherwise where defects are small or thin, and stand out where they move', async () => {
    const dataset = await Dataset.open(embedded.example);
    const [scratches, stains] = [
      await dataset.trainingExamples('scratch', '1/1'),
      await dataset.trainingExamples('stain', '1/1'),
    ];
    const good = await dataset.goodImages();
    const drawn = async (examples: typeof stains, shares: Partial<LayoutsOptions>) => {
      await using chosen = await Layouts.create(examples, good, { resolution: SIDE, seed: 5, ...shares });
      const options = {
        indices: [0, 1, 2, 3],
        seed: 5,
        steps: 4,
        scheduler: 'ddim',
        layouts: chosen,
        strength: 0,
      } as const;
      await using batch = await sampler.begin(options);
      return (await batch.decode()).map(({ image }) => image.data);
    };
    const largeOnly = { pasteShare: 1, smallPasteShare: 0 },
      smallOnly = { smallPasteShare: 1 };
    const [never, always] = [{}, { pasteShare: 1 }];
    expect(await drawn(stains, largeOnly)).toEqual(await drawn(stains, always)); // above 3 % of their image
    expect(await drawn(stains, smallOnly)).toEqual(await drawn(stains, never));
    expect(await drawn(scratches, largeOnly)).toEqual(await drawn(scratches, never)); // below
    expect(await drawn(scratches, smallOnly)).toEqual(await drawn(scratches, always));
    const [thinOnly, specksOnly] = [{ thinPasteShare: 1 }, { smallPasteShare: 1, thinPasteShare: 0 }];
    expect(await drawn(stains, thinOnly)).toEqual(await drawn(stains, never));
    expect(await drawn(scratches, thinOnly)).toEqual(await drawn(scratches, always)); // lines
    expect(await drawn(scratches, specksOnly)).toEqual(await drawn(scratches, never));
    expect(await drawn(stains, always)).not.toEqual(await drawn(stains, never));
    expect(await drawn(scratches, always)).not.toEqual(await drawn(scratches, never));
    const [lit, largeLit] = [{ lightSpread: 0.2 }, { lightSpread: 0.2, smallLightSpread: 0 }]; // light has sizes, too
    expect(await drawn(scratches, lit)).not.toEqual(await drawn(scratches, never));
    expect(await drawn(scratches, largeLit)).toEqual(await drawn(scratches, never));
    expect(await drawn(stains, largeLit)).toEqual(await drawn(stains, lit));
    expect(await drawn(stains, { exposureSpread: 0.2 })).not.toEqual(await drawn(stains, never));
    const turned = { ...always, pasteTurns: true };
    expect(await drawn(stains, turned)).not.toEqual(await drawn(stains, always));
    const [moved, strong] = [{ ownShare: 0 }, { ownShare: 0, movedContrast: 2 }];
    expect(await drawn(stains, strong)).not.toEqual(await drawn(stains, moved));
    expect(await drawn(stains, { ...always, movedContrast: 2 })).toEqual(await drawn(stains, always));
  });

  it('are as large as their layouts where the model works at less', async () => {
    const options = { count: 2, seed: 5, steps: 4, scheduler: 'ddim', layouts, attention: true } as const;
    const [still, first] = [await draw(0), [] as Pair[]];
    for await (const pair of sampler.sample({ ...options, resolution: SIDE / 2, strength: 0.5 })) first.push(pair);
    expect(first).toHaveLength(2);
    for (const [i, pair] of first.entries()) {
      const before = still[i] as Pair; // the same layouts
      const mask = maskOf(before);
      expect([pair.image.width, pair.part.width, pair.attention?.width]).toEqual([SIDE, SIDE, SIDE]);
      expect(maskOf(pair)).toEqual(mask);
      expect(difference(before.image.data, pair.image.data, (pixel) => !near(mask, pixel, 4))).toBe(0);
      expect(difference(before.image.data, pair.image.data, (pixel) => (mask[pixel] as number) > 0)).toBeGreaterThan(0);
    }
  });

  it('refuse schedulers that remember, and layouts of another size', async () => {
    const one = { indices: [0], steps: 4, layouts };
    await expect(sampler.begin({ ...one, scheduler: 'pndm' })).rejects.toThrow('Expected ddim or ddpm for scheduler');
    await expect(sampler.begin({ ...one, scheduler: 'ddim', resolution: 48 })).rejects.toThrow(
      'Expected layouts of 48 x 48 or a multiple, but they are 64 x 64',
    );
    const gone = await Layouts.create(await (await Dataset.open(embedded.example)).examples('stain'), [], {
      resolution: SIDE,
      ownShare: 1,
    });
    await gone.dispose();
    await expect(sampler.begin({ ...one, scheduler: 'ddim', layouts: gone })).rejects.toThrow('layouts are disposed');
    const made = { resolution: SIDE } as unknown as Layouts;
    await expect(sampler.begin({ ...one, layouts: made })).rejects.toThrow('that Layouts.create made');
  });

  it('come from the command line with masks that fit their parts', async () => {
    const out = join(folder, 'pairs');
    const some = ['sample', '--adapter', adapter, '--count', '6', '--steps', '8', '--vary', '0.4'];
    const whole = [...some, '--data', embedded.example, '--train-images', '1/1', '--out', out];
    expect((await cli(whole)).code).toBe(0);
    const files = readdirSync(join(out, 'part', 'stain'));
    expect(files).toHaveLength(6);
    let overlap = 0; // less than 1 where a defect is as grey as the blank
    for (const file of files) {
      const { data: mask } = await readMask(join(out, 'ground_truth', 'stain', file.replace('.png', '_mask.png')));
      const { data: part } = await readImage(join(out, 'part', 'stain', file));
      const visible = mask.map((_, i) =>
        [0, 1, 2].some((channel) => Math.abs((part[3 * i + channel] as number) - 127.5) > 3) ? 255 : 0,
      );
      const both = mask.filter((value, i) => value > 0 && (visible[i] as number) > 0).length;
      const either = mask.filter((value, i) => value > 0 || (visible[i] as number) > 0).length;
      overlap += both / either / files.length;
    }
    expect(overlap).toBeGreaterThan(0.9);
    const settings = readFileSync(join(out, 'pairs.jsonl'), 'utf8');
    const resumed = await cli([...whole, '--resume']);
    expect(resumed.code).toBe(0);
    expect(readFileSync(join(out, 'pairs.jsonl'), 'utf8')).toBe(settings);
    const without = await cli([...some, '--out', join(folder, 'without')]);
    expect(without.code).toBe(2);
    expect(without.stderr).toContain('name their category with --data');
    expect(existsSync(join(folder, 'without', 'test'))).toBe(false);
    const noise = ['sample', '--adapter', adapter, '--count', '1', '--steps', '2', '--mask', 'layout'];
    const masked = await cli([...noise, '--out', join(folder, 'noise')]);
    expect(masked.code).toBe(2);
    expect(masked.stderr).toContain('Expected variations of layouts');
    const refused = async (text: string, ...args: string[]) => {
      const { code, stderr } = await cli([...args, '--base', join(folder, 'not-there')]); // before the model is read
      expect(stderr).toContain(text);
      expect(code).toBe(2);
    };
    const create = Layouts.create([], [], { resolution: SIDE, pasteOnDefects: true, pasteShare: 0 });
    await expect(create).rejects.toThrow('nothing is pasted');
    for (const idle of ['--paste-on-defects', '--paste-turns']) {
      await refused('nothing is pasted', ...noise, '--vary', '0.3', idle, '--out', join(folder, 'idle'));
    }
    await refused('Expected vary with movedContrast', ...noise, '--moved-contrast', '2', '--out', join(folder, 'idle'));
    await refused(
      'Expected vary with exposureSpread',
      ...noise,
      '--exposure-spread',
      '1',
      '--out',
      join(folder, 'idle'),
    );
    await refused('Expected vary with lightSpread', ...noise, '--light-spread', '0.2', '--out', join(folder, 'idle'));
    await refused(
      'Expected vary with smallLightSpread',
      ...noise,
      '--small-light-spread',
      '0',
      '--out',
      join(folder, 'idle'),
    );
    await refused('Expected vary with varyResolution', 'run', '--data', embedded.example, '--vary-resolution', '128');
    await refused('Expected a number 0..1 for lightSpread but received 2', ...whole, '--light-spread', '2');
  });
});
