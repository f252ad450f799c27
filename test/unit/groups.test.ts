import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { Dataset } from '../../lib/dataset/dataset.js';
import { groupsOf, readGroupList } from '../../lib/dataset/groups.js';
import { isInShare, parseShare, partsOf } from '../../lib/dataset/parts.js';
import { splitOf } from '../../lib/evaluate/split.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const [width, height] = [120, 90];

/** Draws from 0 to 1, the same sequence for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed * 7919 + 17;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** A part's surface: blurred noise, from 0 to 1. */
async function surface(seed: number): Promise<Float32Array> {
  const random = randomOf(seed);
  const noise = Buffer.from(Uint8Array.from({ length: (width + 4) * (height + 4) }, () => Math.floor(256 * random())));
  const raw = { width: width + 4, height: height + 4, channels: 1 as const };
  const blurred = await sharp(noise, { raw }).blur(2).normalise().extractChannel(0).raw().toBuffer();
  return Float32Array.from(blurred, (value) => value / 255);
}

interface Exposure {
  gain: number;
  offset: number;
  shift?: number;
  /** The light falls off from left to right by this share. */
  fall?: number;
}

/** Photographs a part: its surface with a light, and a little noise of the camera. */
async function photograph(file: string, part: Float32Array, { gain, offset, shift = 0, fall = 0 }: Exposure) {
  const random = randomOf(gain + offset + shift);
  const data = Uint8Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    const value = part[(y + shift) * (width + 4) + x + shift] as number;
    const light = gain * (1 - (fall * x) / width);
    return Math.min(255, Math.max(0, Math.round(offset + light * value + 6 * random())));
  });
  await sharp(data, { raw: { width, height, channels: 1 } })
    .png()
    .toFile(file);
}

const category = join(folder, 'tile');
const at = (...path: string[]) => join(category, ...path);

/** Part p has three exposures: 3 p, 3 p + 1 and 3 p + 2. */
const exposures: Exposure[] = [
  { gain: 60, offset: 20 },
  { gain: 120, offset: 60, fall: 0.6 },
  { gain: 160, offset: 60, shift: 1 },
];

beforeAll(async () => {
  for (const path of ['test/crack', 'ground_truth/crack', 'test/good', 'train/good']) {
    mkdirSync(at(path), { recursive: true });
  }
  for (let part = 0; part < 5; part++) {
    const shown = await surface(part);
    for (const [i, exposure] of exposures.entries()) {
      const name = String(3 * part + i).padStart(3, '0');
      await photograph(at('test/crack', `${name}.png`), shown, exposure);
      const mask = Buffer.alloc(width * height);
      mask[100] = 255;
      await sharp(mask, { raw: { width, height, channels: 1 } })
        .png()
        .toFile(at('ground_truth/crack', `${name}_mask.png`));
    }
  }
  for (const [i, part] of [20, 21, 22].entries()) {
    await photograph(at('train/good', `${i}.png`), await surface(part), { gain: 100, offset: 50 });
  }
  // The first good test image shows the part of train/good/1, darker.
  await photograph(at('test/good', '0.png'), await surface(21), { gain: 50, offset: 10 });
  await photograph(at('test/good', '1.png'), await surface(23), { gain: 100, offset: 50 });
});

const names = (count: number) => Array.from({ length: count }, (_, i) => String(i).padStart(3, '0'));

describe('groups of photographs', () => {
  it('are those that show one part, whatever the exposure', async () => {
    const files = names(15).map((name) => at('test/crack', `${name}.png`));
    const groups = await groupsOf(files, new Map());
    expect(new Set(groups).size).toBe(5);
    for (const [i, group] of groups.entries()) expect(group).toBe(groups[3 * Math.floor(i / 3)]);
  });

  it('keep photographs of one part on one side of a split', async () => {
    const dataset = await Dataset.open(category);
    const chosen = async (share: string) => (await dataset.trainingExamples('crack', share)).map(({ name }) => name);
    const thirds = [await chosen('1/3@1'), await chosen('1/3@2'), await chosen('1/3@3')];
    expect(thirds.flat()).toEqual(names(15));
    for (const third of thirds) expect(third.length % 3).toBe(0);
    expect(await chosen('2/3@2')).toEqual([...thirds[1], ...thirds[2]]);
  });

  it('leave out of the test what shows a part that trains', async () => {
    const split = await splitOf(await Dataset.open(category), { trainImages: 4 });
    expect(split.testing.get('crack')?.map(({ name }) => name)).toEqual(names(15).slice(6));
    expect(split.testingGood).toEqual([at('test/good/1.png')]);
    expect(split.leftOut).toBe(2 + 1);
  });

  it('cut good photographs by a fraction where none are there to test on', async () => {
    const image = (name: string) => at('test/crack', `${name}.png`);
    const mask = (name: string) => at('ground_truth/crack', `${name}_mask.png`);
    const crack = ['000', '003'].map((name) => ({ image: image(name), mask: mask(name) }));
    const good = ['006', '007', '008', '009', '010', '011', '012'].map(image);
    const dataset = Dataset.from({ types: { crack }, good });
    const split = await splitOf(dataset, { trainImages: '1/2@2' });
    expect(split.trainingGood).toEqual(good.slice(3)); // The first three are of one part.
    expect(split.testingGood).toEqual(good.slice(0, 3));
    await expect(splitOf(dataset, { trainImages: 1 })).rejects.toThrow('no good images to test on');
    await expect(splitOf(dataset, {})).rejects.toThrow('or trainImages such as 1/3, which keeps some of');
  });

  it('refuse a test of which every photograph shows a part that trains', async () => {
    const other = join(folder, 'other');
    for (const path of ['test/crack', 'ground_truth/crack', 'test/good']) {
      mkdirSync(join(other, path), { recursive: true });
    }
    await photograph(join(other, 'test/crack/a.png'), await surface(0), { gain: 90, offset: 5 });
    await photograph(join(other, 'test/good/a.png'), await surface(30), { gain: 90, offset: 5 });
    writeFileSync(
      join(other, 'ground_truth/crack/a_mask.png'),
      await sharp({ create: { width, height, channels: 3, background: 'white' } })
        .png()
        .toBuffer(),
    );
    await expect(splitOf(await Dataset.open(category), { testData: other })).rejects.toThrow(
      `none of crack is left to test on: ${join(other, 'test/crack/a.png')} shows the same part as ${at('test/crack/002.png')}`,
    );
    // The user knows better.
    writeFileSync(join(other, 'groups.csv'), 'path,group\ntest/crack/a.png,another part\n');
    const split = await splitOf(await Dataset.open(category), { testData: other });
    expect(split.testing.get('crack')).toHaveLength(1);
  });
});

describe('groups.csv', () => {
  const named = join(folder, 'named');
  const write = (text: string) => {
    mkdirSync(join(named, 'test'), { recursive: true });
    for (const name of ['a, b.png', 'c.png']) writeFileSync(join(named, 'test', name), '');
    writeFileSync(join(named, 'groups.csv'), text);
    return readGroupList(named);
  };

  it('names the groups of the photographs that it lists', async () => {
    expect(await readGroupList(join(folder, 'nowhere'))).toEqual(new Map());
    const groups = await write('\uFEFFpath,group\r\ntest/a, b.png,tile 1\r\n\r\ntest/c.png,tile 1\r\n');
    expect([...groups]).toEqual([
      [join(named, 'test/a, b.png'), 'tile 1'],
      [join(named, 'test/c.png'), 'tile 1'],
    ]);
    expect(await groupsOf([join(named, 'test/a, b.png'), join(named, 'test/c.png')], groups)).toEqual([0, 0]);
  });

  it.each([
    ['file,part\n', 'Expected path,group in the first line of'],
    ['path,group\ntest/c.png\n', 'Expected path,group in line 2 of'],
    ['path,group\ntest/c.png,\n', 'Expected path,group in line 2 of'],
    ['path,group\ntest/d.png,1\n', 'but received test/d.png, which is missing'],
    ['path,group\ntest/c.png,1\ntest/c.png,2\n', 'test/c.png is listed twice: see line 3'],
  ])('with %j is refused', async (text, message) => {
    await expect(write(text)).rejects.toThrow(message);
  });
});

describe('parts', () => {
  it('are almost equal, and never divide a group', () => {
    expect(partsOf([0, 1, 2, 3, 4, 5, 6], 3)).toEqual([0, 0, 1, 1, 2, 2, 2]);
    expect(partsOf([0, 0, 0, 3, 4, 5], 3)).toEqual([0, 0, 0, 1, 2, 2]);
    expect(partsOf([0, 1, 0, 1], 2)).toEqual([0, 1, 0, 1]);
    expect(partsOf([0, 1], 3)).toEqual([0, 1]);
  });

  it('of a share follow each other, the first after the last', () => {
    const inShare = (share: string) => [0, 1, 2].filter((part) => isInShare(part, parseShare(share)));
    expect(['1/3', '2/3', '2/3@2', '2/3@3', '1/3@3'].map(inShare)).toEqual([[0], [0, 1], [1, 2], [0, 2], [2]]);
  });
});
