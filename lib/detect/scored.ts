/** Scores whole images with a detector: stretched to a square, or in overlapping tiles. */
import type { NativeDetector } from '../addon-types.js';
import type { PixelData } from '../core/image.js';
import { type NativeTaskOptions, runNative } from '../run-native.js';
import { MergedMap } from './merged-map.js';
import { coveringTiles, tileOf } from './tiles.js';

/** How a detector sees images. */
export interface View {
  /** Pixels along each side of the squares that networks see. */
  resolution: number;
  /**
   * If true, the squares are tiles of photographs at their own scale. Otherwise images are stretched to a square, as in
   * the published evaluation.
   */
  tiles: boolean;
}

/** The scores of one image. */
export interface Scored {
  /** The score of each pixel, row by row. */
  map: Float32Array;
  /** The score of the image. It is undefined if the detector defines none but its map. */
  score: number | undefined;
}

/** Inputs are copied on the JavaScript thread, so larger chunks would block it. */
export const CHUNK = 16;

async function scoreSquares(
  detector: NativeDetector,
  squares: readonly Uint8Array[],
  size: number,
  options: NativeTaskOptions,
): Promise<Scored[]> {
  const shape = { count: squares.length, width: size, height: size };
  const { maps, scores } = await runNative(options, (_, task) => detector.score(Buffer.concat(squares), shape, task));
  const length = maps.data.length / squares.length;
  return squares.map((_, i) => ({
    map: maps.data.subarray(i * length, (i + 1) * length),
    score: scores?.data[i],
  }));
}

/**
 * Scores an image. In tiles, it may have any size, the maps of overlapping tiles are merged into one, and the image has
 * the highest score of its tiles. Otherwise it must be a square of the view's resolution.
 */
export async function scoreImage(
  detector: NativeDetector,
  image: PixelData,
  { resolution: size, tiles }: View,
  options: NativeTaskOptions,
): Promise<Scored> {
  if (!tiles) {
    const [scored] = await scoreSquares(detector, [image.data], size, options);
    return scored as Scored;
  }
  const places = coveringTiles(image, size);
  const merged = new MergedMap(image.width, image.height, size);
  const scores: number[] = [];
  for (let from = 0; from < places.length; from += CHUNK) {
    const chunk = places.slice(from, from + CHUNK);
    const squares: Uint8Array[] = [];
    for (const place of chunk) squares.push((await tileOf(image, place, size)).data);
    const scored = await scoreSquares(detector, squares, size, options);
    for (const [i, place] of chunk.entries()) {
      const { map, score } = scored[i] as Scored;
      merged.add(map, place);
      if (score !== undefined) scores.push(score);
    }
  }
  return { map: merged.values(), score: scores.length > 0 ? Math.max(...scores) : undefined };
}
