import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { boundingBox } from '../../lib/dataset/fit.js';
import { type MissedDefect, readMissedDefects } from '../../lib/dataset/missed-defect.js';
import { PhotographReader } from '../../lib/dataset/photograph.js';
import { openRegions } from '../../lib/dataset/place-region.js';
import { squareMask } from '../../lib/model/place/defect-pixels.js';
import { PlaceFinder } from '../../lib/model/place/finder.js';
import { missedPlaces, requireLearned } from '../../lib/model/place/missed-places.js';
import type { FinderSettings } from '../../lib/model/place/place.js';
import { expectFailure } from '../helpers/failures.js';
import { boxMask, fakeEngine, picture, RESOLUTION, settings, sources } from '../helpers/placing.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const missed = (more: Partial<MissedDefect> = {}): MissedDefect => ({
  ...{ type: 'crack', photograph: { width: 400, height: 300 } },
  ...{ box: { left: 300, top: 30, width: 40, height: 12 }, ...more },
});

function fileOf(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}
const lines = (...values: object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');

describe('a list of missed defects', () => {
  it('is read with what placing needs, whatever else its lines hold', async () => {
    const file = fileOf('misses.jsonl', `\uFEFF${lines({ ...missed(), score: 0.1, row: 'none' })}\r\n`);
    expect(await readMissedDefects(file)).toEqual([{ ...missed(), score: 0.1, row: 'none' }]);
  });

  it('that is empty says that nothing was missed', async () => {
    for (const text of ['', '\n\n']) {
      await expectFailure(
        readMissedDefects(fileOf('empty.jsonl', text)),
        'ERR_DATASET_INVALID',
        'lists no missed defect',
      );
    }
  });

  it('that does not exist, or is a folder, is an error', async () => {
    await expectFailure(readMissedDefects(join(folder, 'none.jsonl')), 'ERR_DATASET_INVALID', 'none.jsonl is no file');
    await expectFailure(readMissedDefects(folder), 'ERR_DATASET_INVALID', 'is no file');
  });

  it('that is cut off is an error, and not a shorter list', async () => {
    const whole = lines(missed(), missed());
    const file = fileOf('cut.jsonl', whole.slice(0, -20));
    await expectFailure(readMissedDefects(file), 'ERR_FILE_ACCESS', 'its last line is cut off');
  });

  it.each([
    [
      'a box beyond the right border',
      { box: { left: 361, top: 0, width: 40, height: 12 } },
      'box inside the photograph',
    ],
    ['a box below the border', { box: { left: 0, top: 289, width: 4, height: 12 } }, 'box inside the photograph'],
    ['a box left of the border', { box: { left: -1, top: 0, width: 4, height: 4 } }, 'box.left: expected whole pixels'],
    ['a box without pixels', { box: { left: 0, top: 0, width: 0, height: 4 } }, 'box.width: expected whole pixels'],
    ['no box', { box: undefined }, 'box: expected { left, top, width, height }'],
    ['no size', { photograph: { width: 400 } }, 'photograph.height: expected whole pixels'],
    ['a type that leads elsewhere', { type: '../x' }, 'type: expected the name of a type'],
    ['the type good', { type: 'good' }, 'type: expected the name of a type'],
    ['numbers that are text', { box: { left: '0', top: 0, width: 4, height: 4 } }, 'box.left'],
  ])('with %s is an error that names the line', async (_, wrong, message) => {
    const file = fileOf('wrong.jsonl', lines(missed(), { ...missed(), ...wrong }));
    await expectFailure(readMissedDefects(file), 'ERR_FILE_ACCESS', 'line 2 is not a record');
    await expectFailure(readMissedDefects(file), 'ERR_FILE_ACCESS', message);
  });
});

describe('the types of missed defects', () => {
  it('must be those that the adapter has learned, unless it stores none', () => {
    const list = [missed(), missed({ type: 'pit' }), missed({ type: 'dent' }), missed({ type: 'pit' })];
    expect(() => requireLearned(list, ['crack'])).toThrow(/crack for like but received some of pit, dent, which/);
    expect(() => requireLearned(list, ['crack', 'dent', 'pit', 'good'])).not.toThrow();
    expect(() => requireLearned(list, [])).not.toThrow();
  });

  it('choose the places, as shares of their photographs', () => {
    const list = [missed(), missed({ type: 'pit' })];
    expect(missedPlaces(list, 'crack')).toEqual([{ x: 0.8, y: 0.12, width: 0.1, height: 0.04 }]);
    expect(() => missedPlaces(list, 'dent')).toThrow(
      /missed defects of dent for like but received only those of crack, pit/,
    );
  });
});

const SIZE = [200, 150] as const;
/** Finds places for pairs 0 to `count` - 1 and returns the boxes of their defects, in pixels of the photograph. */
async function boxesLike(list: MissedDefect[], count: number, more: Partial<FinderSettings> = {}) {
  const photograph = await new PhotographReader().open((await sources(picture(...SIZE)))[0] as never);
  const finder = new PlaceFinder(fakeEngine(), settings({ missed: missedPlaces(list, 'crack'), ...more }));
  const boxes = [];
  for (let index = 0; index < count; index++) {
    const place = await finder.find(photograph, { index, attempt: 0 }, []);
    const box = boundingBox(squareMask(place?.defect?.mask as Uint8Array, RESOLUTION));
    const scale = (place?.window.side ?? 0) / RESOLUTION;
    boxes.push({
      x: (place?.window.left ?? 0) + scale * ((box?.left ?? 0) + (box?.width ?? 0) / 2),
      y: (place?.window.top ?? 0) + scale * ((box?.top ?? 0) + (box?.height ?? 0) / 2),
      ...{ width: scale * (box?.width ?? 0), height: scale * (box?.height ?? 0) },
    });
  }
  return boxes;
}

describe('places like those of missed defects', () => {
  it('lie near the same place of another photograph, and are about as large', async () => {
    const boxes = await boxesLike([missed()], 40);
    for (const { x, y, width, height } of boxes) {
      expect(Math.abs(x - 0.8 * 200)).toBeLessThanOrEqual(0.1 * 200 + 1);
      expect(Math.abs(y - 0.12 * 150)).toBeLessThanOrEqual(0.1 * 150 + 1);
      expect(width).toBeGreaterThanOrEqual(Math.floor(20 / 1.25)); // A tenth of 200 pixels.
      expect(width).toBeLessThanOrEqual(Math.ceil(20 * 1.25));
      expect(height).toBeGreaterThanOrEqual(Math.floor(6 / 1.25));
      expect(height).toBeLessThanOrEqual(Math.ceil(6 * 1.25));
    }
    expect(new Set(boxes.map(({ width }) => width)).size).toBeGreaterThan(4);
    expect(new Set(boxes.map(({ x }) => x)).size).toBeGreaterThan(10);
  });

  it('are drawn more often where more defects were missed', async () => {
    const left = missed({ box: { left: 20, top: 200, width: 40, height: 12 } });
    const boxes = await boxesLike([missed(), missed(), missed(), left], 60);
    const right = boxes.filter(({ x }) => x > 100).length;
    expect(right).toBeGreaterThan(35);
    expect(right).toBeLessThan(55);
  });

  it('have the size that they need at the scale of the windows', async () => {
    for (const { width } of await boxesLike([missed()], 10, { window: 64 })) {
      expect(width).toBeGreaterThanOrEqual(14);
      expect(width).toBeLessThanOrEqual(26);
    }
  });

  it('are as large as a window where the missed defect is larger, and one pixel where it vanishes', async () => {
    const large = missed({ box: { left: 0, top: 0, width: 400, height: 300 } });
    for (const { width, height } of await boxesLike([large], 5)) expect([width, height]).toEqual([32, 32]);
    const small = missed({
      photograph: { width: 4000, height: 3000 },
      box: { left: 2000, top: 1500, width: 2, height: 2 },
    });
    for (const { width, height } of await boxesLike([small], 5)) expect([width, height]).toEqual([1, 1]);
  });

  it('stay out of whereNot, and go elsewhere if nothing is left there', async () => {
    const rightHalf = await openRegions('whereNot', boxMask(...SIZE, [100, 0, 100, 150]), []);
    for (const { x, width } of await boxesLike([missed()], 15, { whereNot: rightHalf })) {
      expect(x + width / 2).toBeLessThanOrEqual(100);
    }
  });

  it('depend on the seed and the index only', async () => {
    const list = [missed(), missed({ box: { left: 20, top: 200, width: 40, height: 12 } })];
    expect(await boxesLike(list, 6)).toEqual(await boxesLike(list, 6));
    expect(await boxesLike(list, 6, { seed: 8 })).not.toEqual(await boxesLike(list, 6));
  });
});
