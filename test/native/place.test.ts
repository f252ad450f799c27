import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { NativeMoveOptions, NativePlaceOptions, NativePlaceWindow } from '../../lib/addon-types.js';
import { DualAnoDiff, Sampler } from '../../lib/index.js';
import { runNative } from '../../lib/run-native.js';

const shared = join(import.meta.dirname, '../../../shared/fixtures');
const side = 64;

/** Returns bytes of `channels` for each pixel that depend on the position. */
const picture = (channels: number) => Uint8Array.from({ length: side * side * channels }, (_, i) => (i * 7) % 251);
/** Returns a mask of a square in the middle, with this half of its side. */
const square = (half: number) =>
  Uint8Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    return Math.max(Math.abs(x - side / 2), Math.abs(y - side / 2)) < half ? 1 : 0;
  });

it('places a defect into a window, and pastes only what is inside the mask', async () => {
  const model = await DualAnoDiff.load(join(shared, 'tiny-sd'), { device: 'cpu' });
  onTestFinished(() => model.dispose());
  const sampler = await Sampler.create(model, join(shared, 'adapters/dual-official/pytorch_lora_weights.bin'));
  onTestFinished(() => sampler.dispose());
  const { native } = await sampler.prepare({ steps: 4, resolution: side, seed: 3 }, { attention: false });
  const options: NativePlaceOptions = { ...native, strength: 0.5 };
  const window: NativePlaceWindow = {
    ...{ index: 5, attempt: 0, photograph: picture(3), place: square(16).map((open) => open * 255) },
    defect: { image: picture(3).reverse(), mask: square(6) },
  };
  const place = (windows: NativePlaceWindow[]) =>
    runNative({}, (_, task, progress) => sampler.native.place(options, windows, task, progress));
  const [placed] = await place([window]);
  if (!placed) throw new Error('nothing was placed');
  expect([placed.index, placed.part.length, placed.mask.length]).toEqual([5, side * side * 3, side * side]);
  const outside = placed.change.filter((_, i) => !window.place[Math.floor(i / 3)]);
  expect(outside.every((change) => change === 0)).toBe(true);
  expect(placed.change.some((change) => change !== 0)).toBe(true);
  const pasted = await runNative({}, (engine, task) =>
    engine.pasteBack(picture(1), placed.change, square(6), { side, channels: 1, resolution: side }, task),
  );
  const near = square(8);
  expect(pasted.image.filter((byte, i) => !near[i] && byte !== picture(1)[i])).toHaveLength(0);
  expect(pasted.mask).toEqual(square(6).map((marked) => marked * 255));
  const { defect: _, ...without } = window;
  await expect(place([without])).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
  await expect(place([{ ...window, place: new Uint8Array(3) }])).rejects.toThrow('Expected 4096 bytes of pixels');
});

it('moves a defect at random, into a box, or turned by an angle', async () => {
  const move = (how: Pick<NativeMoveOptions, 'box' | 'angle'> = {}) =>
    runNative({}, (engine, task) =>
      engine.moveDefect(picture(3), square(6), { width: side, height: side, seed: 1, ...how }, task),
    );
  expect((await move()).mask.some((marked) => marked === 255)).toBe(true);
  expect(await move({ angle: 2 * Math.PI })).toEqual(await move({ angle: 0 }));
  expect(await move({ angle: 1 })).not.toEqual(await move({ angle: 0 }));
  await expect(move({ angle: Number.NaN })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
  const { image, mask } = await move({ box: { left: 40, top: 8, width: 10, height: 10 } });
  expect(image).toHaveLength(side * side * 3);
  const marked = [...mask.keys()].filter((i) => mask[i]);
  expect(Math.min(...marked.map((i) => i % side))).toBeGreaterThanOrEqual(40);
  expect(Math.max(...marked.map((i) => Math.floor(i / side)))).toBeLessThan(18);
  await expect(move({ box: { left: 60, top: 8, width: 10, height: 10 } })).rejects.toThrow(
    'inside the window of 64 x 64',
  );
});
