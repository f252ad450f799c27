import { describe, expect, it } from 'vitest';
import type { NativePlaceWindow } from '../../lib/addon-types.js';
import type { PixelData, RawImage } from '../../lib/core/image.js';
import type { MaskedPair } from '../../lib/dataset/generated-pair.js';
import { openRegions } from '../../lib/dataset/place-region.js';
import { PlaceFinder } from '../../lib/model/place/finder.js';
import { type PlaceRequest, placePairs } from '../../lib/model/place/pairs.js';
import type { FinderSettings } from '../../lib/model/place/place.js';
import { expectFailure, warningsOf } from '../helpers/failures.js';
import { example, type FakeEngine, fakeEngine, picture, settings, sources } from '../helpers/placing.js';

const photographs: PixelData[] = [picture(90, 70), picture(64, 48), picture(80, 90, 1)];

interface Run extends Partial<Omit<PlaceRequest, 'photographs'>> {
  images?: PixelData[];
  engine?: FakeEngine;
  places?: Partial<FinderSettings>;
}

async function pairsOf({ images = photographs, engine = fakeEngine(), places, ...more }: Run = {}) {
  const request = {
    ...{ indices: [0, 1, 2, 3, 4], perPhotograph: 1, batchSize: 4, seed: 7, partFill: 'grey' as const },
    ...{ photographs: await sources(...images), ...more },
  };
  const pairs: MaskedPair[] = [];
  for await (const pair of placePairs(engine, new PlaceFinder(engine, settings(places)), request)) pairs.push(pair);
  return pairs;
}

/** The pixels in which two images of one size differ. */
const changed = (one: RawImage, two: PixelData) =>
  Array.from({ length: one.width * one.height }, (_, i) => i).filter((i) => {
    const [from, channels] = [i * one.channels, one.channels];
    return Array.from({ length: channels }, (_, c) => one.data[from + c] !== two.data[from + c]).includes(true);
  });
const marked = ({ mask }: MaskedPair) => [...mask.data.keys()].filter((i) => mask.data[i] === 255);
const placeOf = ({ index, attempt, place }: NativePlaceWindow) => `${index}/${attempt}/${place.indexOf(255)}`;

describe('placePairs', () => {
  it('changes nothing outside of the masks, at full size', async () => {
    const pairs = await pairsOf();
    expect(pairs.map(({ index, seed, photograph }) => [index, seed, photograph])).toEqual([
      ...[0, 1, 2].map((i) => [i, 7, `onto[${i}]`]),
      ...[3, 4].map((i) => [i, 7, `onto[${i - 3}]`]),
    ]);
    for (const [i, pair] of pairs.entries()) {
      const photograph = photographs[i % 3] as PixelData;
      const { width, height, channels } = photograph;
      expect(pair.image).toMatchObject({ width, height, channels });
      expect(pair.part).toMatchObject({ width, height, channels: 3 });
      expect(pair.mask).toMatchObject({ width, height, channels: 1 });
      expect(marked(pair).length).toBeGreaterThanOrEqual(24);
      expect(changed(pair.image, photograph)).toEqual(marked(pair));
      expect(pair.maskMethod).toBe('placed');
      expect(pair.defects).toMatchObject([{ method: 'auto', attempts: 1, window: { side: 32 }, fit: 1 }]);
    }
  });

  it('changes nothing outside of a region whose edges lie inside pixels of the model', async () => {
    const where = await openRegions('where', '21,13,15,10', []);
    const images = photographs.slice(0, 1);
    const [pair] = await pairsOf({ images, indices: [0], places: { where, window: 60 } });
    const inside = (i: number) => i % 90 >= 21 && i % 90 < 36 && i >= 13 * 90 && i < 23 * 90;
    const pixels = changed((pair as MaskedPair).image, images[0] as PixelData);
    expect(pixels.length).toBeGreaterThan(100);
    expect(pixels.every(inside)).toBe(true);
    expect(marked(pair as MaskedPair).every(inside)).toBe(true);
  });

  it('keeps a grey photograph grey', async () => {
    const grey = picture(80, 90, 1);
    const rgb = {
      ...grey,
      channels: 3 as const,
      data: grey.data.reduce((all, v, i) => all.fill(v, 3 * i, 3 * i + 3), new Uint8Array(3 * 80 * 90)),
    };
    const [one] = await pairsOf({ images: [rgb], indices: [0] });
    expect(one?.image.channels).toBe(1);
    expect(one?.image.data).toEqual((await pairsOf({ images: [grey], indices: [0] }))[0]?.image.data);
  });

  it('shows the part where its defect may be, on the fill', async () => {
    const pairs = await pairsOf({ indices: [0], partFill: 'black' });
    const [{ part } = {} as MaskedPair] = pairs;
    expect(new Set(part.data)).toEqual(new Set([0, 200]));
    const shown = [...part.data.keys()].filter((i) => i % 3 === 0 && part.data[i] === 200).map((i) => i / 3);
    expect(shown).toEqual(marked(pairs[0] as MaskedPair));
  });

  it('gives the same pairs whatever the batch size and the pairs before', async () => {
    const blank = ({ index, attempt }: NativePlaceWindow) => (index * 3 + attempt) % 4 === 0;
    const all = await pairsOf({ engine: fakeEngine(blank), batchSize: 1 });
    for (const batchSize of [2, 3, 8]) expect(await pairsOf({ engine: fakeEngine(blank), batchSize })).toEqual(all);
    const later = await pairsOf({ engine: fakeEngine(blank), indices: [1, 4] });
    expect(later).toEqual(all.filter(({ index }) => index === 1 || index === 4));
    const several = { perPhotograph: 3, indices: [0, 1] };
    const one = await pairsOf({ ...several, engine: fakeEngine(blank), batchSize: 1 });
    expect(await pairsOf({ ...several, engine: fakeEngine(blank), batchSize: 8 })).toEqual(one);
  });

  it('draws at most a batch at once', async () => {
    const engine = fakeEngine();
    await pairsOf({ engine, perPhotograph: 3, batchSize: 2, images: [picture(150, 150)] });
    expect(Math.max(...engine.calls.map(({ length }) => length))).toBe(2);
    expect(engine.calls.flat().map(({ index }) => index)).toEqual(Array.from({ length: 15 }, (_, i) => i));
  });

  it('draws again at another place, up to three times, and keeps what became visible', async () => {
    const engine = fakeEngine(({ index, attempt }) => (index === 0 && attempt < 2) || (index === 1 && attempt < 9));
    const pairs = await pairsOf({ engine, indices: [0, 1, 2] });
    expect(pairs.map(({ index }) => index)).toEqual([0, 2]);
    expect(pairs[0]?.defects).toMatchObject([{ attempts: 3 }]);
    const attempts = engine.calls.flat().filter(({ index }) => index === 1);
    expect(attempts.map(({ attempt }) => attempt)).toEqual([0, 1, 2, 3]);
    expect(new Set(attempts.map((one) => placeOf({ ...one, attempt: 0 }))).size).toBeGreaterThan(1);
  });

  /** An engine whose attempts get these scores, one after the other. */
  const scoredEngine = (scores: readonly { fit: number; contrastToNoise: number }[]) => {
    const engine = fakeEngine();
    const paste = engine.paste;
    let judged = 0;
    return {
      ...engine,
      paste: async (...args: Parameters<typeof paste>) => ({ ...(await paste(...args)), ...scores[judged++] }),
    };
  };

  it.each([
    [[1, 1.9, 2, 9], { attempts: 3, contrastToNoise: 2 }],
    [[1, 1.5, 0.5, 1.2], { attempts: 4, contrastToNoise: 1.5 }],
  ])('draws a defect again that hardly stands out from its ground, with ratios %j', async (ratios, expected) => {
    const engine = scoredEngine(ratios.map((contrastToNoise) => ({ contrastToNoise, fit: 0.8 })));
    const [pair] = await pairsOf({ engine, indices: [0] });
    expect(pair?.defects).toMatchObject([expected]);
  });

  it('keeps the attempt with the best mask if none is good', async () => {
    const fits = [0.2, 0.4, 0.1, 0.3];
    const engine = scoredEngine(fits.map((fit) => ({ fit, contrastToNoise: 9 })));
    const [pair] = await pairsOf({ engine, indices: [0] });
    expect(pair?.defects).toMatchObject([{ attempts: 4, fit: 0.4 }]);
    const second = engine.calls[1]?.[0] as NativePlaceWindow;
    const rest = await pairsOf({ indices: [0] });
    expect(pair?.mask).not.toEqual(rest[0]?.mask);
    expect(second.attempt).toBe(1);
  });

  it('places several defects in one photograph, and marks them all', async () => {
    const photograph = picture(120, 110);
    const [pair] = await pairsOf({ images: [photograph], indices: [0], perPhotograph: 4 });
    expect(pair?.defects).toHaveLength(4);
    expect(marked(pair as MaskedPair).length).toBeGreaterThanOrEqual(4 * 24);
    expect(changed(pair?.image as RawImage, photograph)).toEqual(marked(pair as MaskedPair));
  });

  it('says how many defects a photograph has room for', async () => {
    let pairs: MaskedPair[] = [];
    const warnings = await warningsOf(async () => {
      pairs = await pairsOf({ images: [picture(33, 32)], indices: [0], perPhotograph: 100 });
    });
    const [pair] = pairs;
    expect(warnings).toEqual([`onto[0] has room for ${pair?.defects?.length} of 100 defects.`]);
  });

  it('pastes into a mirrored photograph', async () => {
    const small = picture(20, 26);
    const [pair] = await pairsOf({ images: [small], indices: [0] });
    expect(pair?.image).toMatchObject({ width: 20, height: 26 });
    expect(changed(pair?.image as RawImage, small)).toEqual(marked(pair as MaskedPair));
    expect(marked(pair as MaskedPair).length).toBeGreaterThanOrEqual(24);
  });

  it('pastes at the scale of the photograph', async () => {
    const photograph = picture(200, 150);
    for (const [window, least] of [
      [64, 4],
      [16, 0.25],
      ['off', 20],
    ] as const) {
      const [pair] = await pairsOf({ images: [photograph], indices: [0], places: { window } });
      expect(changed(pair?.image as RawImage, photograph)).toEqual(marked(pair as MaskedPair));
      expect(marked(pair as MaskedPair).length).toBeGreaterThanOrEqual(24 * least);
    }
  });

  it('ends with its signal and with the error of a photograph', async () => {
    const controller = new AbortController();
    const engine = fakeEngine();
    const draw = engine.draw;
    engine.draw = async (windows) => {
      controller.abort(new Error('enough'));
      return draw(windows);
    };
    await expect(pairsOf({ engine, signal: controller.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    const where = await openRegions('where', '70,50,10,10', []);
    await expectFailure(pairsOf({ places: { where } }), 'ERR_INVALID_OPTION', '64 x 48 pixels of onto[1]');
    await expectFailure(
      pairsOf({ images: [picture(8, 8)], places: { examples: [example([0, 0, 32, 32])] } }),
      'ERR_DATASET_INVALID',
      'onto[0]',
    );
  });
});
