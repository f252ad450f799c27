import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type PixelData, RawImage } from '../../lib/core/image.js';
import { boundingBox } from '../../lib/dataset/fit.js';
import { type ObjectFrame, objectFrame, placeOn } from '../../lib/dataset/object-frame.js';
import { type Photograph, PhotographReader } from '../../lib/dataset/photograph.js';
import { WindowGrid } from '../../lib/dataset/photograph-window.js';
import { openRegions } from '../../lib/dataset/place-region.js';
import type { Masker } from '../../lib/model/masker.js';
import { markedPixels, squareMask } from '../../lib/model/place/defect-pixels.js';
import { PlaceFinder } from '../../lib/model/place/finder.js';
import type { FinderSettings, Place } from '../../lib/model/place/place.js';
import { expectFailure, warningsOf } from '../helpers/failures.js';
import { boxMask, example, fakeEngine, picture, RESOLUTION, settings, sources } from '../helpers/placing.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const SIZE = [200, 150] as const;
const open = async (image: PixelData = picture(...SIZE)): Promise<Photograph> =>
  new PhotographReader().open((await sources(image))[0] as never);
const finderOf = (more: Partial<FinderSettings> = {}) => new PlaceFinder(fakeEngine(), settings(more));
const key = (index: number, attempt = 0) => ({ index, attempt });
const whereNot = (mask: PixelData) => openRegions('whereNot', mask, []);

/** The pixels of the photograph in which something may be drawn. */
function drawnIn({ window, place }: Place, [width, height]: readonly [number, number] = SIZE): number[] {
  const marks = new WindowGrid(window, RESOLUTION).marksOf(place);
  return Array.from({ length: width * height }, (_, i) => i).filter((i) => marks(i % width, Math.floor(i / width)));
}

/** A folder with the foreground mask of the first photograph in memory. */
async function foreground(name: string, mask: PixelData) {
  const path = join(folder, name);
  mkdirSync(path);
  await new RawImage(mask).toSharp().toFile(join(path, 'onto_000_mask.png'));
  return { folder: path };
}

async function places(finder: PlaceFinder, photograph: Photograph, count: number): Promise<Place[]> {
  const found: Place[] = [];
  for (let index = 0; index < count; index++) found.push((await finder.find(photograph, key(index), [])) as Place);
  return found;
}

describe('automatic places', () => {
  it('lie anywhere on a surface, inside the photograph, with the window around them', async () => {
    const photograph = await open();
    const found = await places(finderOf(), photograph, 40);
    const middles = found.map((place) => {
      const { window, defect, method } = place;
      const box = boundingBox(squareMask((defect as { mask: Uint8Array }).mask, RESOLUTION));
      expect(box && [box.width, box.height]).toEqual([6, 4]); // No part was lost.
      expect(method).toBe('auto');
      expect([window.left >= 0, window.left + 32 <= 200, window.top >= 0, window.top + 32 <= 150]).toEqual(
        Array(4).fill(true),
      );
      return { x: window.left + (box?.left ?? 0), y: window.top + (box?.top ?? 0) };
    });
    expect(Math.min(...middles.map(({ x }) => x))).toBeLessThan(40);
    expect(Math.max(...middles.map(({ x }) => x))).toBeGreaterThan(160);
    expect(Math.max(...middles.map(({ y }) => y))).toBeGreaterThan(110);
  });

  it('need the foreground of a photograph once, even if it is decoded again between others', async () => {
    const asked: string[] = [];
    const mask = async (image: PixelData) => {
      asked.push(`${image.width} x ${image.height}`);
      return boxMask(image.width, image.height, [40, 30, 60, 50]);
    };
    const finder = finderOf({ foreground: { masker: { mask } as unknown as Masker } });
    const [one, other] = await sources(picture(200, 150), picture(120, 90));
    const reader = new PhotographReader();
    const found: (Place | undefined)[] = [];
    for (const source of [one, other, one, other, one]) {
      found.push(await finder.find(await reader.open(source as never), key(0), []));
    }
    expect(asked).toEqual(['200 x 150', '120 x 90']);
    expect(found[2]).toEqual(found[0]);
    expect(found[4]).toEqual(found[0]);
    expect(found[3]).toEqual(found[1]);
  });

  it('depend on the seed, the type, the index and the attempt only', async () => {
    const [photograph, again] = [await open(), await open()];
    const one = await finderOf().find(photograph, key(3), []);
    expect(await finderOf().find(again, key(3), [])).toEqual(one);
    expect((await finderOf().find(photograph, key(3, 1), []))?.window).not.toEqual(one?.window);
    expect((await finderOf().find(photograph, key(4), []))?.window).not.toEqual(one?.window);
    expect((await finderOf({ seed: 8 }).find(photograph, key(3), []))?.window).not.toEqual(one?.window);
    expect((await finderOf({ type: 1 }).find(photograph, key(3), []))?.window).not.toEqual(one?.window);
  });

  it('cut the photograph at the scale of the window, with the defect at the same scale', async () => {
    const photograph = await open();
    const place = await finderOf({ window: 64 }).find(photograph, key(0), []);
    expect(place?.window.side).toBe(64);
    expect(place?.photograph).toHaveLength(3 * RESOLUTION ** 2);
    const area = drawnIn(place as Place).length;
    expect(area).toBe(4 * markedPixels((place as Place).place).length);
    expect(markedPixels((place as Place).place)).toHaveLength((6 + 4) * (4 + 4)); // The defect with a margin of 2.
  });

  it('lie on the object, near the place of the training defect', async () => {
    const object = await foreground('object', boxMask(...SIZE, [100, 50, 80, 60]));
    const one = example([10, 12, 6, 4]);
    const centres = new Map([[one, { x: 0.6, y: 0.5 }]]);
    const photograph = await open();
    const near = await places(finderOf({ foreground: object, examples: [one], centres }), photograph, 30);
    for (const place of near) {
      const { window } = place;
      const box = boundingBox(squareMask(place.defect?.mask as Uint8Array, RESOLUTION));
      const [x, y] = [window.left + (box?.left ?? 0) + 3, window.top + (box?.top ?? 0) + 2];
      expect(Math.abs(x - 120)).toBeLessThanOrEqual(9); // A tenth of the object, and rounding.
      expect(Math.abs(y - 75)).toBeLessThanOrEqual(7);
    }
    const elsewhere = new Map([[one, { x: 0.1, y: 0.1 }]]);
    const far = await places(finderOf({ foreground: object, examples: [one], centres: elsewhere }), photograph, 20);
    for (const { defect, window } of far) {
      const marks = new WindowGrid(window, RESOLUTION);
      const inside = markedPixels(defect?.mask as Uint8Array).filter((i) =>
        marks.isMarked(i, (x, y) => x >= 100 && x < 180 && y >= 50 && y < 110),
      );
      expect(inside.length).toBeGreaterThanOrEqual(0.9 * 24);
    }
  });

  /** Draws a nail at an angle about the middle of the photograph: a wide head, and a shank to the tip. */
  const nail = (angle: number, hasHead = true) => {
    const mask = boxMask(...SIZE, [0, 0, 0, 0]);
    mask.data.forEach((_, i) => {
      const [dx, dy] = [(i % 200) + 0.5 - 100, Math.floor(i / 200) + 0.5 - 75];
      const [along, across] = [
        Math.cos(angle) * dx + Math.sin(angle) * dy,
        Math.cos(angle) * dy - Math.sin(angle) * dx,
      ];
      const width = along < -35 && hasHead ? 16 : 8;
      if (Math.abs(along) < 50 && Math.abs(across) < width) mask.data[i] = 255;
    });
    return mask;
  };

  /** Places a defect of the head of a nail, whose axis pointed along x, and tells where, and the angle of its turn. */
  async function onNail(name: string, mask: RawImage, from: RawImage, count: number, inside = 1, across = 0) {
    const object = placeOn(objectFrame(from, from) as ObjectFrame, 100 - 42, 75 + across);
    const one = example([10, 12, 6, 4]);
    const turns: (number | undefined)[] = [];
    const engine = fakeEngine();
    const recorded: typeof engine = {
      ...engine,
      move: (defect, options) => {
        turns.push(options.angle);
        return engine.move(defect, options);
      },
    };
    const centres = new Map([[one, { x: 0.29, y: 0.5, ...(object && { object: { ...object, inside } }) }]]);
    const source = await foreground(name, mask);
    const finder = new PlaceFinder(recorded, settings({ foreground: source, examples: [one], centres }));
    const found = await places(finder, await open(), count);
    const points = found.map(({ window, defect }) => {
      const box = boundingBox(squareMask(defect?.mask as Uint8Array, RESOLUTION));
      return { x: window.left + (box?.left ?? 0) + 3 - 100, y: window.top + (box?.top ?? 0) + 2 - 75 };
    });
    return { points, turns };
  }

  it.each([0, 0.7, 2, -1.4])('lie on the same part of an object at the angle %f, turned with it', async (angle) => {
    const { points, turns } = await onNail(`nail ${angle}`, nail(angle), nail(0), 12);
    for (const { x, y } of points) {
      expect(Math.cos(angle) * x + Math.sin(angle) * y).toBeLessThan(-25);
      expect(Math.abs(Math.cos(angle) * y - Math.sin(angle) * x)).toBeLessThan(12);
    }
    for (const turn of turns) expect(Math.cos((turn as number) - angle)).toBeGreaterThan(0.999);
  });

  it('lie on the edge of an object, if the training defect does', async () => {
    const edge = async (name: string, inside: number) => {
      const { points } = await onNail(name, nail(0), nail(0), 12, inside, 16);
      return points.filter(({ x, y }) => x < -30 && y > 10).length;
    };
    expect(await edge('edge', 0.5)).toBe(12);
    expect(await edge('whole', 1)).toBeLessThan(12);
    expect(await edge('beside', 0.01)).toBeGreaterThan(0);
  });

  it('lie at either end of an object whose ends are alike', async () => {
    const { points, turns } = await onNail('bar', nail(0.7, false), nail(0, false), 16);
    const ends = new Set(points.map(({ x, y }) => Math.sign(Math.cos(0.7) * x + Math.sin(0.7) * y)));
    expect(ends).toEqual(new Set([-1, 1]));
    for (const turn of turns) expect(Math.abs(Math.cos((turn as number) - 0.7))).toBeGreaterThan(0.999);
  });

  it('lie as in the photograph, without a turn, where only one of the objects is elongated', async () => {
    const round = boxMask(...SIZE, [20, 25, 100, 100]);
    const { points, turns } = await onNail('round', round, nail(0), 8);
    for (const { x, y } of points) expect(Math.hypot(x + 42, y)).toBeLessThan(18);
    for (const turn of turns) expect(turn).toBeUndefined();
  });

  it('lie anywhere where the foreground is the whole photograph', async () => {
    const surface = await foreground('surface', boxMask(...SIZE, [0, 0, 200, 140]));
    const found = await places(finderOf({ foreground: surface }), await open(), 30);
    expect(Math.min(...found.map(({ window }) => window.left))).toBeLessThan(30);
    expect(Math.max(...found.map(({ window }) => window.left))).toBeGreaterThan(140);
  });

  it('keep out of whereNot and of one another', async () => {
    const photograph = await open();
    const mask = boxMask(...SIZE, [0, 0, 150, 150]);
    const finder = finderOf({ whereNot: await whereNot(mask) });
    const taken: Place[] = [];
    for (let index = 0; index < 8; index++) {
      const place = await finder.find(photograph, key(index), taken);
      if (place) taken.push(place);
    }
    expect(taken.length).toBeGreaterThan(3);
    const pixels = taken.flatMap((place) => drawnIn(place));
    expect(pixels.every((i) => i % 200 >= 150)).toBe(true);
    expect(new Set(pixels).size).toBe(pixels.length);
  });

  it('name the photograph and the mask that leaves no place', async () => {
    const photograph = await open();
    const all = finderOf({ whereNot: await whereNot(boxMask(...SIZE, [0, 0, 200, 150])) });
    await expectFailure(
      all.find(photograph, key(0), []),
      'ERR_DATASET_INVALID',
      'onto[0]',
      'mask whereNot leaves nothing',
    );
    const thin = finderOf({ whereNot: await whereNot(boxMask(...SIZE, [3, 0, 197, 150])) });
    await expectFailure(thin.find(photograph, key(0), []), 'ERR_DATASET_INVALID', 'onto[0]', '80 tries', 'whereNot');
    const full = await finderOf().find(photograph, key(0), []);
    expect(await thin.find(photograph, key(1), [full as Place])).toBeUndefined();
  });

  it('refuse a photograph that is far smaller than a window', async () => {
    const tiny = await open(picture(7, 3));
    await expectFailure(finderOf().find(tiny, key(0), []), 'ERR_DATASET_INVALID', 'onto[0]', 'at least 8', '7 x 3');
  });

  it('fall off towards the side where the window of training cut the defect', async () => {
    const cut = example([0, 12, 12, 6]);
    for (const { window, place, defect } of await places(finderOf({ examples: [cut] }), await open(), 20)) {
      const box = boundingBox(squareMask(defect?.mask as Uint8Array, RESOLUTION)) as { left: number; top: number };
      const row = place.subarray((box.top + 2) * RESOLUTION, (box.top + 3) * RESOLUTION);
      const isAtBorder = window.left + box.left === 0;
      const weights = Array.from({ length: 12 }, (_, i) =>
        isAtBorder ? 255 : Math.min(255, Math.round((255 * (i + 1)) / 9)),
      );
      expect([...row.subarray(box.left, box.left + 12)]).toEqual(weights);
      expect(row.subarray(0, box.left).every((weight) => weight === 0)).toBe(true);
    }
  });

  it('mirror a photograph that a window does not fit into, and draw only inside of it', async () => {
    const photograph = await open(picture(20, 40));
    let place: Place | undefined;
    const warnings = await warningsOf(async () => {
      place = await finderOf().find(photograph, key(0), []);
      await finderOf().find(photograph, key(1), []);
    });
    expect(warnings).toEqual([expect.stringMatching(/32 x 32 pixels does not fit into onto\[0\].* 20 x 40.*mirrored/)]);
    expect(place?.window).toMatchObject({ left: -6, side: 32 });
    const columns = markedPixels((place as Place).place).map((i) => i % RESOLUTION);
    expect(Math.min(...columns)).toBeGreaterThanOrEqual(6);
    expect(Math.max(...columns)).toBeLessThan(26);
  });

  it('give the engine a foreground only if the adapter needs one', async () => {
    const object = await foreground('for-bcm', boxMask(...SIZE, [50, 25, 100, 100]));
    const photograph = await open();
    const place = await finderOf({ foreground: object, needsForeground: true }).find(photograph, key(0), []);
    expect(markedPixels(place?.foreground as Uint8Array).length).toBeGreaterThan(24);
    expect(await finderOf({ foreground: object }).find(photograph, key(0), [])).not.toHaveProperty('foreground');
    expect(await finderOf({ startsFromDefect: false }).find(photograph, key(0), [])).not.toHaveProperty('defect');
  });
});

describe('places in a region', () => {
  const inRegion = async (where: PixelData | string, more: Partial<FinderSettings> = {}, photograph?: Photograph) =>
    finderOf({ where: await openRegions('where', where, []), ...more }).find(photograph ?? (await open()), key(0), []);

  it.each([
    ['box', '190,140,10,8'],
    ['mask', boxMask(...SIZE, [190, 140, 10, 8])],
  ])('are that region exactly, for a %s at the border', async (method, where) => {
    const place = (await inRegion(where)) as Place;
    expect(place).toMatchObject({ method, window: { left: 168, top: 118, side: 32 } });
    expect(place.defect?.mask).toEqual(boxMask(32, 32, [22, 22, 10, 8]).data); // The fake engine fills the box.
    expect(markedPixels(place.place)).toEqual(markedPixels(boxMask(32, 32, [22, 22, 10, 8]).data));
    // The weights fall off to edges inside the photograph, but its own border is no edge.
    expect([...place.place.subarray(26 * 32 + 22, 27 * 32)]).toEqual([85, 170, ...Array(8).fill(255)]);
    const down = Array.from({ length: 8 }, (_, i) => place.place[(22 + i) * 32 + 31]);
    expect(down).toEqual([85, 170, 255, 255, 255, 255, 170, 85]);
  });

  it('are clipped to a mask that is no box', async () => {
    const where = { ...boxMask(...SIZE, [50, 50, 20, 4]), data: boxMask(...SIZE, [50, 50, 20, 4]).data.slice() };
    where.data.set(boxMask(...SIZE, [50, 54, 4, 16]).data.subarray(54 * 200), 54 * 200);
    const place = (await inRegion(where)) as Place;
    expect(drawnIn(place)).toHaveLength(20 * 4 + 4 * 16);
    expect(markedPixels(place.defect?.mask as Uint8Array)).toEqual(markedPixels(place.place));
    expect(Math.max(...place.place)).toBe(255);
  });

  it('need no training defects', async () => {
    expect(await inRegion('10,10,8,8', { examples: [] })).not.toHaveProperty('defect');
  });

  it('are refused if they are empty, larger than a window, forbidden, or outside the foreground masks', async () => {
    const fail = (where: PixelData | string, texts: string[], more = {}) =>
      expectFailure(inRegion(where, more), 'ERR_DATASET_INVALID', ...texts);
    await fail(boxMask(...SIZE, [0, 0, 0, 0]), ['where of onto[0] is empty']);
    await fail('10,10,33,5', ['33 x 5 pixels in onto[0]', '32 x 32']);
    const forbidden = await whereNot(boxMask(...SIZE, [0, 0, 100, 100]));
    await fail('10,10,9,9', ['whereNot leaves nothing of the place in onto[0]'], { whereNot: forbidden });
    const object = await foreground('elsewhere', boxMask(...SIZE, [100, 50, 80, 60]));
    await fail('10,10,9,9', ['The box 10,10,9,9', 'outside the foreground of onto[0]'], { foreground: object });
    expect(await inRegion('95,60,10,9', { foreground: object })).toBeDefined();
  });

  it('name a foreground mask that is missing or of another size', async () => {
    const { folder: path } = await foreground('small', boxMask(100, 75, [10, 10, 20, 20]));
    await expectFailure(
      inRegion('10,10,9,9', { foreground: { folder: path } }),
      'ERR_DATASET_INVALID',
      'onto_000_mask.png is 100 x 75',
      'onto[0] is 200 x 150',
    );
    mkdirSync(join(folder, 'none'));
    const none = { foreground: { folder: join(folder, 'none') } };
    await expectFailure(inRegion('10,10,9,9', none), 'ERR_DATASET_INVALID', 'onto[0] has no foreground mask');
  });
});
