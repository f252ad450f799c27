import { embedded } from '../core/paths.js';
import type { Dataset } from '../dataset/dataset.js';
import type { GeneratedPair, MaskedPair } from '../dataset/generated-pair.js';
import type { Adapter } from './adapter.js';
import { BaseModel, type LoadOptions, loadBaseModel } from './base-model.js';
import { type GenerateOptions, generatePairs } from './generate.js';
import { type LearnOptions, learnAdapter } from './learn.js';
import { type PlaceOptions, Placer } from './placer.js';

/**
 * A Stable Diffusion base learns defects and generates pairs. A pair is an image with a defect, the defect alone, and a
 * mask of the defect.
 *
 * @example
 * await using model = await DualAnoDiff.load();
 * const adapter = await model.learn(await Dataset.open('tile'), { types: ['crack'] });
 * for await (const pair of model.generate(adapter, { count: 100 })) await pair.image.toSharp().toFile(`${pair.index}.png`);
 */
export class DualAnoDiff extends BaseModel {
  /**
   * Loads a Stable Diffusion 1.x or 2.x base: a diffusers folder (tokenizer, text_encoder, vae, unet, scheduler; whole
   * or sharded files, any precision), or one checkpoint file in the original naming (`.safetensors`, `.ckpt`). Without
   * `base` it loads the small model that is in the package.
   *
   * Throws ERR_MODEL_INVALID with the part that the base lacks, ERR_WEIGHTS_INVALID with a tensor that does not fit,
   * ERR_DEVICE_UNAVAILABLE, and ERR_LIBTORCH_MISSING.
   */
  static async load(base: string = embedded.base, options: LoadOptions = {}): Promise<DualAnoDiff> {
    return new DualAnoDiff(await loadBaseModel(base, options));
  }

  /**
   * Trains an adapter on one or several defect types of a dataset. With `out`, the adapter is written to this file, with
   * checkpoints and a log beside it, and `resume` continues an interrupted run. After an abort, a checkpoint is written
   * first.
   *
   * Throws ERR_DATASET_INVALID with the image or mask, ERR_INVALID_OPTION, ERR_CHECKPOINT_MISMATCH,
   * ERR_OUT_OF_MEMORY, ERR_NON_FINITE_LOSS, and ERR_ABORTED.
   */
  learn(dataset: Dataset, options: LearnOptions): Promise<Adapter> {
    return learnAdapter(this, dataset, options);
  }

  /**
   * Draws defects into good photographs and yields each as a pair at full size. Outside of the defects, the image is
   * the photograph itself. Pair k depends on the seed and on k, but not on the batch size. A pair whose defects stay
   * invisible is left out.
   *
   * Throws ERR_DATASET_INVALID with the photograph or mask that cannot be used, ERR_INVALID_OPTION,
   * ERR_ADAPTER_MISMATCH, ERR_WEIGHTS_INVALID, ERR_NON_FINITE, ERR_OUT_OF_MEMORY, and ERR_ABORTED.
   *
   * @example
   * for await (const pair of model.place(adapter, { onto: 'tile/train/good', count: 100 })) console.log(pair.defects);
   */
  async *place(adapter: Adapter | string, options: PlaceOptions): AsyncGenerator<MaskedPair, void, undefined> {
    await using placer = await Placer.create(this, adapter);
    yield* placer.place(options);
  }

  /** Samples pairs without masks. */
  generate(
    adapter: Adapter | string,
    options: GenerateOptions & { mask: [] },
  ): AsyncGenerator<GeneratedPair, void, undefined>;
  /**
   * Samples pairs 0 to `count` - 1 of a seed from an adapter or an adapter file, and yields each with its mask when it
   * is ready. The noise of pair k depends on the seed and on k, but not on the batch size.
   *
   * Throws ERR_ADAPTER_MISMATCH if the adapter belongs to another base, ERR_WEIGHTS_INVALID for a damaged file,
   * ERR_NON_FINITE, ERR_OUT_OF_MEMORY, and ERR_ABORTED.
   */
  generate(adapter: Adapter | string, options?: GenerateOptions): AsyncGenerator<MaskedPair, void, undefined>;
  generate(adapter: Adapter | string, options: GenerateOptions = {}): AsyncGenerator<GeneratedPair, void, undefined> {
    return generatePairs(this, adapter, options);
  }
}
