import { z } from 'zod';
import type { NativeAugmenter } from '../addon-types.js';
import { DualAnoDiffError } from '../core/errors.js';
import { Dataset, type Example } from '../dataset/dataset.js';
import { type Pair, toPair } from '../dataset/pair.js';
import { clearerFill, type PartFill } from '../dataset/part-fill.js';
import { loadBackgrounds } from '../model/foreground.js';
import { checkOptions, integer, oneOf } from '../options/check.js';
import { sampleSchema, trainerSchema } from '../options/schemas.js';
import { Pool } from '../pool.js';
import { runNative, type TaskOptions, throwIfAborted } from '../run-native.js';

const augmenterSchema = z.strictObject({
  /** Pixels along each side of the pairs. */
  resolution: integer(8, 4096),
  fit: trainerSchema.shape.fit,
  seed: sampleSchema.shape.seed,
});
const pairsSchema = sampleSchema
  .pick({ count: true, skip: true, signal: true })
  .extend({ partFill: oneOf(['grey', 'black']).optional() });

/**
 * Options of {@link Augmenter.create}.
 * @interface
 */
export type AugmenterOptions = z.input<typeof augmenterSchema>;
/**
 * Options of {@link Augmenter.pairs}.
 * @interface
 */
export type AugmentedPairsOptions = z.input<typeof pairsSchema>;

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
 * const examples = await dataset.trainingExamples('crack', '1/3');
 * await using augmenter = await Augmenter.create(examples, await dataset.goodImages(), { resolution: 256 });
 * for await (const pair of augmenter.pairs({ count: 100 })) console.log(pair.index, pair.mask);
 */
export class Augmenter {
  readonly #seed: number;
  #handle: NativeAugmenter | undefined;

  private constructor(
    /** Pixels along each side of the pairs. */
    readonly resolution: number,
    /** The blank of the parts from which more of the defects' pixels can be told. */
    readonly partFill: PartFill,
    seed: number,
    handle: NativeAugmenter,
  ) {
    this.#seed = seed;
    this.#handle = handle;
  }

  /**
   * Decodes the images. Throws ERR_DATASET_INVALID naming the file that cannot be used, or where there are no examples
   * or no good images, and ERR_INVALID_OPTION.
   */
  static async create(
    examples: readonly Example[],
    goodImages: readonly string[],
    options: AugmenterOptions & TaskOptions,
  ): Promise<Augmenter> {
    const { signal, ...given } = options;
    const { resolution, fit, seed } = checkOptions(augmenterSchema, given);
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
      return new Augmenter(resolution, clearerFill(loaded), seed, handle);
    } finally {
      defects.dispose();
      good.dispose();
    }
  }

  /**
   * Pairs 0 to `count` - 1 of the seed with their masks, as they are ready; those in `skip` are left out. Pair k is the
   * same whatever was drawn before. `partFill` is the blank of the parts, `this.partFill` where it is not given.
   */
  async *pairs(options: AugmentedPairsOptions): AsyncGenerator<Pair, void, undefined> {
    const { count, skip, signal, partFill = this.partFill } = checkOptions(pairsSchema, options);
    const indices = Array.from({ length: count }, (_, index) => index).filter((index) => !skip?.has(index));
    for (let from = 0; from < indices.length; from += DRAWN_AT_ONCE) {
      const some = indices.slice(from, from + DRAWN_AT_ONCE);
      const drawn = await runNative({ signal }, (_, task) => this.#alive().draw(some, partFill, task));
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
