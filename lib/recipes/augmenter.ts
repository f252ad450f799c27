import type { NativeAugmenter } from '../addon-types.js';
import { DualAnoDiffError } from '../core/errors.js';
import { Dataset, type Example } from '../dataset/dataset.js';
import type { ImageSource } from '../dataset/image-source.js';
import { type Pair, toPair } from '../dataset/pair.js';
import { clearerFill, type PartFill } from '../dataset/part-fill.js';
import { loadBackgrounds } from '../model/foreground.js';
import type { Fit } from '../options/names.js';
import { Pool } from '../pool.js';
import { runNative, type TaskOptions, throwIfAborted } from '../run-native.js';
import type { PairRequest } from './recipe.js';

/** How the images are read, and the seed of the pairs. */
export interface AugmenterSettings {
  /** Pixels along each side of the pairs. */
  resolution: number;
  fit: Fit;
  seed: number;
}

/** Good images that are decoded at once. */
const DECODED_AT_ONCE = 16;

/** Pairs of one native call, so that an abort is heard soon. */
const DRAWN_AT_ONCE = 4;

/** A blurred pair can be told from the photographs that a detector learns from beside it. */
const SHARP = 'lanczos3';

/**
 * The recipe `augment`: pairs that no model draws. Each is a real defect on a real picture, with its exact mask. It is
 * pasted onto a good image, or, where it is small, stays in its own image as another photograph would show it, or,
 * where it is large, moves to another place on a good image. Light and exposure vary.
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
    /** The blank of the parts from which more of the defects' pixels can be told. */
    readonly partFill: PartFill,
    /** Tells sets of images apart by their pixels. */
    readonly digest: string,
    seed: number,
    handle: NativeAugmenter,
  ) {
    this.#seed = seed;
    this.#handle = handle;
  }

  /**
   * Decodes the images. Throws ERR_DATASET_INVALID naming the file that cannot be used, or where there are no examples
   * or no good images.
   */
  static async create(
    examples: readonly Example[],
    goodImages: readonly ImageSource[],
    { resolution, fit, seed, signal }: AugmenterSettings & TaskOptions,
  ): Promise<Augmenter> {
    const defects = await Pool.create(resolution);
    const good = await Pool.create(resolution);
    try {
      const loaded = await Dataset.load([...examples], resolution, fit, undefined, SHARP);
      defects.addDefects(
        loaded.map(({ pixels, maskPixels }) => ({ pixels: pixels.data, mask: maskPixels.data })),
        0,
        0,
      );
      for (let from = 0; from < goodImages.length; from += DECODED_AT_ONCE) {
        throwIfAborted(signal);
        const files = goodImages.slice(from, from + DECODED_AT_ONCE);
        const chunk = await loadBackgrounds(files, resolution, fit, 'none', SHARP);
        good.addGood(chunk.map(({ image, foreground }) => ({ pixels: image.data, mask: foreground.data })));
      }
      const handle = await runNative({ signal }, (engine, task) =>
        engine.createAugmenter({ seed }, defects.handle, good.handle, task),
      );
      return new Augmenter(resolution, clearerFill(loaded), `${defects.digest}/${good.digest}`, seed, handle);
    } finally {
      defects.dispose();
      good.dispose();
    }
  }

  /**
   * Pairs 0 to `count` - 1 of the seed with their masks, as they are ready; those in `skip` are left out. Pair k is the
   * same whatever was drawn before.
   */
  async *pairs({ count, skip, signal }: PairRequest): AsyncGenerator<Pair, void, undefined> {
    const indices = Array.from({ length: count }, (_, index) => index).filter((index) => !skip.has(index));
    for (let from = 0; from < indices.length; from += DRAWN_AT_ONCE) {
      const some = indices.slice(from, from + DRAWN_AT_ONCE);
      const drawn = await runNative({ signal }, (_, task) => this.#alive().draw(some, this.partFill, task));
      for (const pair of drawn) yield toPair(pair, this.resolution, this.#seed);
    }
  }

  /** Frees the images. May be called twice. */
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
