import type { NativeAugmenter } from '../addon-types.js';
import { DualAnoDiffError } from '../core/errors.js';
import { inTurn } from '../core/in-turn.js';
import type { Example } from '../dataset/dataset.js';
import type { ImageSource } from '../dataset/image-source.js';
import { type Pair, toPair } from '../dataset/pair.js';
import { clearerFill, type PartFill } from '../dataset/part-fill.js';
import { Pool, type Square } from '../pool.js';
import { runNative, type TaskOptions, throwIfAborted } from '../run-native.js';
import { loadDefectSquares, loadGroundSquares, type MarkedImage, type SquareSettings } from './augmenter-squares.js';
import type { PairRequest } from './recipe.js';

/** Holds the settings that decide the pairs. */
export interface AugmenterSettings extends SquareSettings {
  seed: number;
}

const toSquare = ({ pixels, maskPixels }: MarkedImage): Square => ({ pixels: pixels.data, mask: maskPixels.data });

/** One native call makes this number of pairs. A small number keeps aborts quick, and the memory small. */
const DRAWN_AT_ONCE = 4;

/**
 * Makes the pairs of the recipe `augment` without a model. Each shows a real defect on a real photograph and has an
 * exact mask. The defect is pasted onto a good image. A small defect may instead stay in its own image, which is then
 * changed like a second photograph of the scene. A large defect may instead move to another place on a good image.
 * Light and exposure vary.
 *
 * @example
 * const dataset = await Dataset.open('tile');
 * const settings = { resolution: 256, fit: 'stretch', seed: 0 };
 * await using augmenter = await Augmenter.create(await dataset.trainingExamples('crack'), await dataset.goodImages(), settings);
 * for await (const pair of augmenter.pairs({ count: 100, skip: new Set() })) console.log(pair.index, pair.mask);
 */
export class Augmenter {
  readonly #seed: number;
  #handle: NativeAugmenter | undefined;

  private constructor(
    /** Pixels along each side of the pairs. */
    readonly resolution: number,
    /** This is the background of the parts against which the defects stand out more. */
    readonly partFill: PartFill,
    /** This digest of the pixels identifies the images. */
    readonly digest: string,
    seed: number,
    handle: NativeAugmenter,
  ) {
    this.#seed = seed;
    this.#handle = handle;
  }

  /**
   * Decodes the images. Throws ERR_DATASET_INVALID with the file that cannot be used, or if there are no examples or no
   * good images.
   */
  static async create(
    examples: readonly Example[],
    goodImages: readonly ImageSource[],
    { seed, signal, ...squares }: AugmenterSettings & TaskOptions,
  ): Promise<Augmenter> {
    const { resolution } = squares;
    const defects = await Pool.create(resolution);
    const good = await Pool.create(resolution);
    try {
      const loaded = await loadDefectSquares(examples, squares);
      defects.addDefects(loaded.map(toSquare), 0, 0);
      for await (const some of loadGroundSquares(goodImages, squares)) {
        throwIfAborted(signal);
        good.addGood(some.map(toSquare));
      }
      const handle = await runNative({ signal }, (engine, task) =>
        engine.createAugmenter({ seed }, defects.handle, good.handle, task),
      );
      return new Augmenter(resolution, await clearerFill(loaded), `${defects.digest}/${good.digest}`, seed, handle);
    } finally {
      defects.dispose();
      good.dispose();
    }
  }

  /**
   * Yields pairs 0 to `count` - 1 of the seed with their masks, except those in `skip`, each when it is ready. Pair k
   * depends on the seed and on k only.
   */
  async *pairs({ count, skip, signal }: PairRequest): AsyncGenerator<Pair, void, undefined> {
    const missing = Array.from({ length: count }, (_, index) => index).filter((index) => !skip.has(index));
    const batches = Array.from({ length: Math.ceil(missing.length / DRAWN_AT_ONCE) }, (_, batch) =>
      missing.slice(batch * DRAWN_AT_ONCE, (batch + 1) * DRAWN_AT_ONCE),
    );
    const leaving = new AbortController();
    const stop = signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal;
    const drawn = inTurn(batches, {
      ahead: true, // The engine draws the next batch while the caller writes this one.
      start: (batch) => runNative({ signal: stop }, (_, task) => this.#alive().draw(batch, this.partFill, task)),
      finish: async (pairs) => pairs,
      abandon: async (started) => {
        leaving.abort();
        await started.catch(() => {}); // It fails because it is cancelled.
      },
    });
    for await (const pairs of drawn) {
      for (const pair of pairs) yield toPair(pair, this.resolution, this.#seed);
    }
  }

  /** Frees the images. A second call has no effect. */
  async dispose(): Promise<void> {
    this.#handle?.dispose();
    this.#handle = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #alive(): NativeAugmenter {
    if (!this.#handle) throw new DualAnoDiffError('The augmenter is disposed', 'ERR_DISPOSED');
    return this.#handle;
  }
}
