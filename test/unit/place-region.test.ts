import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Photograph, PhotographReader, photographsOf } from '../../lib/dataset/photograph.js';
import { openRegions } from '../../lib/dataset/place-region.js';
import { expectFailure } from '../helpers/failures.js';
import { boxMask, picture } from '../helpers/placing.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const good = join(folder, 'tile', 'train', 'good');
const masks = join(folder, 'masks');
let photographs: Awaited<ReturnType<typeof photographsOf>>;
let first: Photograph;

beforeAll(async () => {
  for (const path of [good, masks]) mkdirSync(path, { recursive: true });
  for (const name of ['a', 'b'])
    await picture(60, 40)
      .toSharp()
      .toFile(join(good, `${name}.png`));
  await boxMask(60, 40, [4, 6, 10, 8]).toSharp().toFile(join(masks, 'a_mask.png'));
  await boxMask(60, 40, [30, 6, 2, 3]).toSharp().toFile(join(masks, 'b.png'));
  await boxMask(50, 40, [4, 6, 10, 8]).toSharp().toFile(join(folder, 'narrow.png'));
  await boxMask(60, 40, [0, 0, 0, 0]).toSharp().toFile(join(folder, 'empty.png'));
  photographs = await photographsOf(join(folder, 'tile'));
  first = await new PhotographReader().open(photographs[0] as string);
});

const regionOf = async (given: Parameters<typeof openRegions>[1], photograph = first) =>
  (await openRegions('where', given, photographs)).regionOf(photograph);

describe('photographsOf', () => {
  it('takes train/good of a category, a folder, a file, or images in memory', async () => {
    expect(photographs).toEqual([join(good, 'a.png'), join(good, 'b.png')]);
    expect(await photographsOf(good)).toEqual(photographs);
    expect(await photographsOf(join(good, 'b.png'))).toEqual([join(good, 'b.png')]);
    expect(await photographsOf([picture(4, 4), join(good, 'b.png')])).toMatchObject([
      { label: 'onto[0]' },
      join(good, 'b.png'),
    ]);
  });

  it('names what is not there or is no image', async () => {
    await expectFailure(photographsOf(join(folder, 'none')), 'ERR_DATASET_INVALID', join(folder, 'none'), 'not exist');
    mkdirSync(join(folder, 'hollow'));
    await expectFailure(photographsOf(join(folder, 'hollow')), 'ERR_DATASET_INVALID', 'hollow holds no photographs');
    await expectFailure(photographsOf([]), 'ERR_INVALID_OPTION', 'not empty for onto');
    await expectFailure(photographsOf([3 as never]), 'ERR_INVALID_OPTION', 'for onto[0] but received number');
  });

  it('a reader keeps a grey photograph in one channel, and opens it once', async () => {
    const grey = join(folder, 'grey.png');
    await picture(12, 10, 1).toSharp().toColourspace('srgb').toFile(grey);
    const reader = new PhotographReader();
    const photograph = await reader.open(grey);
    expect(photograph.image).toMatchObject({ channels: 1, width: 12, height: 10 });
    expect(photograph.image.data).toEqual(picture(12, 10, 1).data);
    expect(await reader.open(grey)).toBe(photograph);
    expect(first.image.channels).toBe(3);
  });
});

describe('openRegions', () => {
  it('reads a box, a mask of a folder, one mask, and a mask in memory', async () => {
    expect(await regionOf('5,6,7,8')).toMatchObject({ box: { left: 5, top: 6, width: 7, height: 8 } });
    const box = { left: 4, top: 6, width: 10, height: 8 };
    for (const given of [masks, join(masks, 'a_mask.png'), boxMask(60, 40, [4, 6, 10, 8])]) {
      const region = await regionOf(given);
      expect(region).toMatchObject({ box });
      expect([region?.marks(4, 6), region?.marks(13, 13), region?.marks(14, 13)]).toEqual([true, true, false]);
    }
    const second = await new PhotographReader().open(photographs[1] as string);
    expect(await regionOf(masks, second)).toMatchObject({ box: { left: 30, top: 6, width: 2, height: 3 } });
    expect(await regionOf(join(folder, 'empty.png'))).toBeUndefined();
  });

  it.each(['50,10,20,5', '-1,0,5,5', '10,35,5,6', '60,0,1,1'])(
    'refuses the box %s outside the photograph',
    async (box) => {
      await expectFailure(regionOf(box), 'ERR_INVALID_OPTION', '60 x 40 pixels of', 'a.png', `received ${box}`);
    },
  );

  it.each(['5,5,0,5', '5,5,5,-1', '5,6,7', '1.5,2,9,9', '1, 2, 9, 9'])('refuses the box %s', async (box) => {
    await expectFailure(regionOf(box), 'ERR_INVALID_OPTION', 'of whole pixels, without spaces, for where', box);
  });

  it('names a mask of another size, a missing one, and a path that is not there', async () => {
    await expectFailure(
      regionOf(join(folder, 'narrow.png')),
      'ERR_DATASET_INVALID',
      'narrow.png is 50 x 40',
      '60 x 40',
    );
    await expectFailure(
      openRegions('whereNot', join(folder, 'tile'), photographs),
      'ERR_DATASET_INVALID',
      'a.png has no mask for whereNot: expected',
      'a_mask.png',
    );
    await expectFailure(
      regionOf('mask.png'),
      'ERR_DATASET_INVALID',
      'mask.png does not exist',
      'x,y,width,height for where',
    );
  });
});
