import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { RawImage } from '../../lib/core/image.js';
import { readMask } from '../../lib/dataset/mask-file.js';
import {
  Adapter,
  Dataset,
  DualAnoDiff,
  embedded,
  type MaskedPair,
  type PixelData,
  type PlaceOptions,
  readImage,
} from '../../lib/index.js';
import { campaign, type JobEvent, place } from '../../lib/jobs/index.js';
import { given } from '../../lib/options/check.js';
import { weightsFile } from '../../lib/weights/locate.js';
import { cli, flagsOf } from '../helpers/cli.js';
import { expectFailure } from '../helpers/failures.js';
import { contentsOf, recordsOf } from '../helpers/files.js';
import { boxMask } from '../helpers/placing.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const file = join(folder, 'adapter.safetensors');
const good = join(folder, 'photographs');
const RESOLUTION = 32;
let model: DualAnoDiff;
let adapter: Adapter;

/** Brushed metal of any size, brighter to the right. */
function photograph(width: number, height: number, channels: 1 | 3): RawImage {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => {
    const pixel = Math.floor(i / channels);
    return 90 + ((pixel % width) * 60) / width + 10 * Math.sin(Math.floor(pixel / width) * 1.7) + 3 * (i % channels);
  });
  return new RawImage({ data, width, height, channels });
}

beforeAll(async () => {
  model = await DualAnoDiff.load(embedded.base);
  const settings = { types: ['stain'], steps: 2, resolution: RESOLUTION, rank: 2, batchSize: 2 } as const;
  adapter = await model.learn(await Dataset.open(embedded.example), settings);
  await adapter.save(file);
  mkdirSync(good);
  await photograph(150, 100, 3).toSharp().toFile(join(good, 'colour.png'));
  await photograph(90, 120, 1).toSharp().toFile(join(good, 'grey.png'));
});
afterAll(async () => {
  await adapter?.dispose();
  await model?.dispose();
});

afterEach(() => vi.unstubAllEnvs());

const common = { steps: 4, seed: 5, foregroundMasks: 'none' };
async function collect(options: Partial<PlaceOptions> = {}): Promise<MaskedPair[]> {
  const pairs: MaskedPair[] = [];
  for await (const pair of model.place(adapter, { onto: good, count: 4, ...common, ...options })) pairs.push(pair);
  return pairs;
}

/** The distance in pixels from the mask of the farthest pixel that differs from the photograph. */
function reachOfChange({ image, mask }: MaskedPair, ground: PixelData): number {
  let reach = 0;
  for (let i = 0; i < mask.data.length; i++) {
    const at = i * image.channels;
    const same = [0, image.channels - 1].every((c) => image.data[at + c] === ground.data[at + c]);
    if (same) continue;
    let nearest = Number.POSITIVE_INFINITY;
    for (let j = 0; j < mask.data.length; j++) {
      if (mask.data[j] === 0) continue;
      const across = (i % mask.width) - (j % mask.width);
      const down = Math.floor(i / mask.width) - Math.floor(j / mask.width);
      nearest = Math.min(nearest, Math.max(Math.abs(across), Math.abs(down)));
    }
    reach = Math.max(reach, nearest);
  }
  return reach;
}

describe('place', () => {
  it('draws defects into photographs at full size, and leaves their ground as it is', async () => {
    const pairs = await collect();
    expect(pairs.length).toBeGreaterThan(0);
    const scale = Number(adapter.info.window === 'off' ? 90 : adapter.info.window) / RESOLUTION;
    for (const pair of pairs) {
      const isColour = pair.index % 2 === 0;
      const ground = isColour ? photograph(150, 100, 3) : photograph(90, 120, 1);
      const { width, height, channels } = ground;
      expect(pair.image).toMatchObject({ width, height, channels });
      expect(pair.photograph).toBe(isColour ? 'colour.png' : 'grey.png');
      expect(pair.mask.data.includes(255)).toBe(true);
      expect(pair.image.data).not.toEqual(ground.data);
      // The edge of a mask is softened by a few pixels of the model.
      expect(reachOfChange(pair, ground)).toBeLessThanOrEqual(Math.ceil(4 * Math.max(1, scale)));
      const [defect] = pair.defects ?? [];
      expect(defect).toMatchObject({ method: 'auto' });
      expect(defect?.contrast).toBeGreaterThanOrEqual(0.04);
    }
  });

  it('gives the same pair whatever the batch and the pairs before', async () => {
    const together = await collect({ batchSize: 4 });
    const apart = await collect({ batchSize: 1 });
    const last = await collect({ skip: new Set([0, 1, 2]) });
    expect(apart.map(({ index }) => index)).toEqual(together.map(({ index }) => index));
    for (const [i, { image, defects }] of together.entries()) {
      expect(apart[i]?.defects?.map(({ window }) => window)).toEqual(defects?.map(({ window }) => window));
      const far = Math.max(...image.data.map((value, at) => Math.abs(value - (apart[i]?.image.data[at] as number))));
      expect(far).toBeLessThanOrEqual(2); // Sums in another order.
    }
    expect(last.map(({ index }) => index)).toEqual(together.map(({ index }) => index).filter((index) => index > 2));
    expect(await collect()).toEqual(together);
  });

  it('draws in a box and in a mask, and nowhere else', async () => {
    const [left, top, width, height] = [20, 30, 24, 16];
    const mask = boxMask(150, 100, [left, top, width, height]);
    for (const where of [`${left},${top},${width},${height}`, mask]) {
      const pairs = await collect({ where, onto: join(good, 'colour.png'), count: 2, strength: 0.5 });
      const ground = photograph(150, 100, 3).data;
      for (const { image, mask: drawn } of pairs) {
        const outside = [...mask.data.keys()].filter((i) => mask.data[i] === 0);
        expect(outside.every((i) => drawn.data[i] === 0)).toBe(true);
        expect(outside.every((i) => [0, 1, 2].every((c) => image.data[3 * i + c] === ground[3 * i + c]))).toBe(true);
      }
    }
  });

  it('takes the photograph as the background of an adapter with background compensation', async () => {
    const settings = { types: ['stain'], steps: 2, resolution: RESOLUTION, rank: 2, batchSize: 2 } as const;
    const dataset = await Dataset.open(embedded.example);
    await using compensated = await model.learn(dataset, { ...settings, background: 'add', foregroundMasks: 'none' });
    for (const foregroundMasks of ['none', undefined]) {
      const pairs: MaskedPair[] = [];
      const options = { ...given({ ...common, foregroundMasks }), onto: good, count: 2, where: '20,30,24,16' };
      for await (const pair of model.place(compensated, options)) pairs.push(pair);
      for (const { image, index } of pairs) expect(image.channels).toBe(index === 0 ? 3 : 1);
    }
  });

  it('writes a dataset, continues it, and gives the same files as in one go', async () => {
    const [whole, resumed] = [join(folder, 'whole'), join(folder, 'resumed')];
    const options = { adapter: file, onto: good, ...common };
    const events: JobEvent[] = [];
    const result = await place({ ...options, out: whole, count: 3 }, { onEvent: (event) => events.push(event) });
    expect(result.pairs + result.failed).toBe(3);
    expect(events.filter(({ event }) => event === 'progress')).toHaveLength(result.pairs);
    const { code, stdout, stderr } = await cli([
      'place',
      ...flagsOf({ ...options, out: resumed, count: 1, json: true }),
    ]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({ out: resumed });
    await expectFailure(place({ ...options, out: resumed, count: 3 }), 'ERR_DATASET_INVALID', 'resume');
    await place({ ...options, out: resumed, count: 3, resume: true });
    expect(contentsOf(resumed)).toEqual(contentsOf(whole));
    for (const record of recordsOf(whole)) {
      expect(record).toMatchObject({ type: 'stain', recipe: 'place', maskMethod: 'placed', synthetic: true });
      expect(record.defects?.[0]?.window.side).toBeGreaterThan(0);
      const image = await readImage(join(whole, record.image));
      expect(await readMask(join(whole, record.mask as string))).toMatchObject({ width: image.width });
    }
    const other = place({ ...options, out: resumed, count: 3, resume: true, strength: 0.4 });
    await expectFailure(other, 'ERR_DATASET_INVALID', 'strength');
    const again = { ...options, out: resumed, count: 3, resume: true };
    const masks = [boxMask(90, 120, [5, 5, 9, 9]), boxMask(90, 120, [20, 5, 9, 9])];
    const masked = { ...again, out: join(folder, 'masked'), onto: join(good, 'grey.png'), count: 1 };
    for (const [i, mask] of masks.entries()) {
      const where = join(folder, `${i}`, 'place.png');
      mkdirSync(join(folder, `${i}`));
      await mask.toSharp().toFile(where);
      if (i === 0) await place({ ...masked, where });
      else await expectFailure(place({ ...masked, where }), 'ERR_DATASET_INVALID', 'where: ');
    }
    const others = join(folder, 'others'); // Photographs of the same names.
    mkdirSync(others);
    for (const name of ['colour.png', 'grey.png']) await photograph(60, 70, 3).toSharp().toFile(join(others, name));
    await expectFailure(place({ ...again, onto: others }), 'ERR_DATASET_INVALID', 'photographs: ');
    await expectFailure(place({ ...again, out: join(good, 'out') }), 'ERR_INVALID_OPTION', 'outside of');
  });

  it('finds foregrounds by installed weights where it needs them, and records them', async () => {
    vi.stubEnv('DUALANODIFF_CACHE', join(folder, 'cache'));
    const { steps, seed } = common;
    const options = { adapter: file, onto: join(good, 'colour.png'), count: 1, steps, seed };
    const foregroundOf = async (name: string, where: string) => {
      const out = join(folder, name);
      await place({ ...options, out, where });
      return recordsOf(out).map(({ settings }) => settings.foreground);
    };
    expect(await foregroundOf('by-embedded', 'auto')).toEqual(['embedded']);
    mkdirSync(dirname(weightsFile('u2net')), { recursive: true });
    copyFileSync(embedded.maskModel, weightsFile('u2netp'));
    expect(await foregroundOf('by-installed', 'auto')).toEqual(['u2netp']);
    writeFileSync(weightsFile('u2net'), 'damaged');
    await expectFailure(foregroundOf('by-damaged', 'auto'), 'ERR_WEIGHTS_INVALID', weightsFile('u2net'));
    expect(await foregroundOf('by-none', '20,30,24,16')).toEqual([undefined]);
  });

  it('learns where on its object a defect is, unless there are no foregrounds', async () => {
    const masks = join(folder, 'bars');
    mkdirSync(masks);
    await boxMask(150, 100, [20, 40, 110, 20]).toSharp().toFile(join(masks, 'stain_000_mask.png'));
    const image = photograph(150, 100, 3);
    const dataset = Dataset.from({ types: { stain: [{ image, mask: boxMask(150, 100, [30, 45, 10, 8]) }] }, good: [] });
    const learned = async (options: { foregroundMasks?: string; window?: 'off' | number }) => {
      const settings = {
        types: ['stain'],
        steps: 1,
        resolution: RESOLUTION,
        rank: 2,
        batchSize: 1,
        window: 32,
      } as const;
      await using trained = await model.learn(dataset, { ...settings, ...options });
      const saved = join(folder, 'bar.safetensors');
      await trained.save(saved);
      await using read = await Adapter.load(saved);
      return read.info.examples;
    };
    const [example] = await learned({ foregroundMasks: masks });
    expect(example?.object).toMatchObject({
      axis: 'unsigned',
      inside: 1,
      u: expect.closeTo((-40 * Math.sqrt(12)) / 110, 2),
    });
    expect((await learned({ foregroundMasks: 'none' }))[0]).not.toHaveProperty('object');
    expect((await learned({ foregroundMasks: masks, window: 'off' }))[0]).not.toHaveProperty('object');
    await expectFailure(learned({ foregroundMasks: good }), 'ERR_DATASET_INVALID', 'foreground mask');
  });

  it('is a recipe of run', async () => {
    const out = join(folder, 'run');
    const settings = { trainSteps: 2, steps: 3, resolution: RESOLUTION, rank: 2, count: 2, foregroundMasks: 'none' };
    const { types } = await campaign({ data: embedded.example, type: 'stain', out, recipe: 'place', ...settings });
    expect(types[0]).toMatchObject({ type: 'stain', adapter: expect.stringContaining('adapter.safetensors') });
    expect(existsSync(types[0]?.report as string)).toBe(true);
    const unread = campaign({ data: embedded.example, out, recipe: 'place', mask: ['threshold'] });
    await expectFailure(unread, 'ERR_INVALID_OPTION', 'does not use mask');
  });

  it('names what cannot be used', async () => {
    await expectFailure(collect({ onto: join(folder, 'none') }), 'ERR_DATASET_INVALID', 'does not exist');
    await expectFailure(collect({ where: '140,10,20,5' }), 'ERR_INVALID_OPTION', '150 x 100', 'colour.png');
    const all = boxMask(150, 100, [0, 0, 150, 100]);
    await expectFailure(collect({ whereNot: all }), 'ERR_DATASET_INVALID', 'colour.png');
    await expectFailure(collect({ type: 'dent' }), 'ERR_INVALID_OPTION', 'stain for type');
    await expectFailure(collect({ mask: [] } as never), 'ERR_INVALID_OPTION', 'Unknown option mask');
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expectFailure(collect({ signal: controller.signal }), 'ERR_ABORTED');
  });
});
