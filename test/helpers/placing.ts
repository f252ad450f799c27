/** Photographs, training defects, and an engine that draws without a model, for tests of placing. */
import type { NativeExample, NativePlaceWindow } from '../../lib/addon-types.js';
import { type PixelData, RawImage } from '../../lib/core/image.js';
import type { ImageSource } from '../../lib/dataset/image-source.js';
import { photographsOf } from '../../lib/dataset/photograph.js';
import type { PlaceEngine } from '../../lib/model/place/engine.js';
import type { FinderSettings } from '../../lib/model/place/place.js';

/** The fake model's images have this number of pixels along each side. */
export const RESOLUTION = 32;

/** A picture with different values everywhere, so that a pixel that moved is noticed. */
export function picture(width: number, height: number, channels: 1 | 3 = 3): RawImage {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => 40 + ((i * 7 + (i >> 5)) % 150));
  return new RawImage({ data, width, height, channels });
}

/** A mask with one marked box. */
export function boxMask(
  width: number,
  height: number,
  [left, top, across, down]: readonly [number, number, number, number],
): RawImage {
  const data = new Uint8Array(width * height);
  for (let y = top; y < top + down; y++) data.fill(255, y * width + left, y * width + left + across);
  return new RawImage({ data, width, height, channels: 1 });
}

export const sources = (...images: PixelData[]): Promise<ImageSource[]> => photographsOf(images);

/** A training defect: a box in a window. */
export const example = (box: readonly [number, number, number, number], region = 0, type = 0): NativeExample => ({
  ...{ region, type, size: RESOLUTION, image: picture(RESOLUTION, RESOLUTION).data },
  mask: boxMask(RESOLUTION, RESOLUTION, box).data,
});

export const settings = (more: Partial<FinderSettings> = {}): FinderSettings => ({
  ...{ seed: 7, type: 0, resolution: RESOLUTION, window: RESOLUTION, where: undefined, whereNot: undefined },
  ...{ examples: [example([10, 12, 6, 4])], centres: new Map(), foreground: 'none' },
  ...{ startsFromDefect: true, needsForeground: false, ...more },
});

export interface FakeEngine extends PlaceEngine {
  /** Each call of `draw` with its windows. */
  readonly calls: NativePlaceWindow[][];
}

/**
 * Draws a change that depends on the index, the attempt and the place. `isBlank` names the windows in which nothing is
 * drawn. Defects keep their place, unless they are moved into a box, which they fill.
 */
export function fakeEngine(isBlank: (window: NativePlaceWindow) => boolean = () => false): FakeEngine {
  const calls: NativePlaceWindow[][] = [];
  return {
    calls,
    draw: async (windows) => {
      calls.push(windows);
      return windows.map((window) => {
        const { index, attempt, place } = window;
        const drawn = place.map((value) => (value > 0 && !isBlank(window) ? 255 : 0));
        const strength = 0.2 + ((index * 31 + attempt * 17) % 50) / 100;
        return {
          index,
          mask: drawn,
          part: Uint8Array.from({ length: 3 * place.length }, (_, i) =>
            (drawn[Math.floor(i / 3)] as number) > 0 ? 200 : 128,
          ),
          change: Float32Array.from({ length: 3 * place.length }, (_, i) =>
            (drawn[Math.floor(i / 3)] as number) > 0 ? strength : 0,
          ),
        };
      });
    },
    move: async ({ image, mask }, { box, width, height }) =>
      box ? { image, mask: boxMask(width, height, [box.left, box.top, box.width, box.height]).data } : { image, mask },
    paste: async (photograph, { change, mask }, { side, channels, resolution }) => {
      const at = (pixel: number) => {
        const [x, y] = [pixel % side, Math.floor(pixel / side)];
        return Math.floor((y * resolution) / side) * resolution + Math.floor((x * resolution) / side);
      };
      const image = photograph.map((value, i) => {
        const from = at(Math.floor(i / channels));
        return (mask[from] as number) > 0
          ? Math.min(255, Math.round(value + 127.5 * (change[3 * from] as number)))
          : value;
      });
      const large = Uint8Array.from({ length: side * side }, (_, i) => mask[at(i)] as number);
      const contrast = image.reduce((most, value, i) => Math.max(most, Math.abs(value - (photograph[i] as number))), 0);
      return { image, mask: large, contrast: contrast / 255, contrastToNoise: contrast, fit: contrast > 0 ? 1 : 0 };
    },
  };
}
