import { resolve } from 'node:path';
import type { NativeMasker } from '../addon-types.js';
import { DualAnoDiffError, InvalidOptionError } from '../core/errors.js';
import { Mask, type PixelData, toRgb } from '../core/image.js';
import { embedded } from '../core/paths.js';
import type { PairData } from '../dataset/pair.js';
import { fillLevel } from '../dataset/part-fill.js';
import { checkOptions } from '../options/check.js';
import type { AttentionOptions, MaskerOptions, ThresholdOptions } from '../options/generated.js';
import { attentionSchema, maskerSchema, thresholdSchema } from '../options/masks.js';
import type { maskMethods } from '../options/names.js';
import { runNative, type TaskOptions } from '../run-native.js';

type Method = (part: PixelData, options: TaskOptions) => Promise<Uint8Array>;

/**
 * Finds the defect in an anomaly part.
 *
 * @example
 * const masker = await Masker.load();
 * const mask = await masker.mask(pair.part);
 */
export class Masker {
  readonly method: (typeof maskMethods)[number];
  #run: Method;
  #handle: NativeMasker | undefined;
  #disposed = false;

  private constructor(method: Masker['method'], run: Method, handle?: NativeMasker) {
    this.method = method;
    this.#run = run;
    this.#handle = handle;
  }

  /**
   * Loads a U2-Net, a U2-NetP or a smaller network from `.safetensors` or `.pth`, or the embedded one if no file is
   * given. A pixel belongs to the mask if its saliency, stretched to 0..1, is at least `threshold` (0.5 by default).
   * The mask is empty if the network's probability is below 0.05 everywhere.
   *
   * Throws ERR_WEIGHTS_INVALID with the file and the reason. Code in the file is never executed.
   */
  static async load(file: string = embedded.maskModel, options: MaskerOptions = {}): Promise<Masker> {
    const { device, threshold } = checkOptions(maskerSchema, options);
    const handle = await runNative({}, (engine, task) => engine.loadMasker(resolve(file), device, task));
    const run: Method = ({ data, width, height }, taskOptions) =>
      runNative(taskOptions, (_, task) => handle.mask(data, { width, height, threshold, fill: 0 }, task));
    return new Masker('u2net', run, handle);
  }

  /**
   * Returns a masker that marks pixels whose distance from the part's fill is at least `threshold` (0.12 by default).
   */
  static threshold(options: ThresholdOptions = {}): Masker {
    const { partFill, threshold } = checkOptions(thresholdSchema, options);
    return new Masker('threshold', ({ data, width, height }, taskOptions) =>
      runNative(taskOptions, (engine, task) =>
        engine.thresholdMask(data, { width, height, threshold, fill: fillLevel[partFill] }, task),
      ),
    );
  }

  /**
   * Returns a masker for pairs that were sampled with `attention`. A pixel belongs to the mask if the attention map,
   * stretched to 0..1, is at least `threshold` (0.5 by default). The method `mask` takes the map instead of the part.
   */
  static attention(options: AttentionOptions = {}): Masker {
    const { threshold } = checkOptions(attentionSchema, options);
    return new Masker('attention', async ({ data }) => {
      const grey = data.filter((_, i) => i % 3 === 0);
      const isFlat = grey.every((value) => value === grey[0]); // A flat map does not single out any place.
      return grey.map((value) => (!isFlat && value >= 255 * threshold ? 255 : 0));
    });
  }

  /** Returns the mask of a pair, which comes from its part or its attention map. */
  async maskPair(pair: PairData, options: TaskOptions = {}): Promise<Mask> {
    if (this.method !== 'attention') return this.mask(pair.part, options);
    if (!pair.attention) {
      throw new InvalidOptionError(
        'Expected pairs that were sampled with attention: true for masks from attention maps',
      );
    }
    // A map is stretched to the full range, so it has a bright place even if the part is blank.
    const { data, width, height } = toRgb(pair.part);
    const isBlank = await runNative(options, (engine, task) => engine.lacksContrast(data, width, height, task));
    const blank = { data: new Uint8Array(data.length / 3), width, height, channels: 1 } as const;
    return this.mask(isBlank ? blank : pair.attention, options);
  }

  /**
   * Returns the mask of a part of any size. It is empty for a part that has one colour apart from grain.
   * Throws ERR_NON_FINITE with the weights whose results are not finite.
   */
  async mask(part: PixelData, options: TaskOptions = {}): Promise<Mask> {
    if (this.#disposed) throw new DualAnoDiffError('The masker is disposed', 'ERR_DISPOSED');
    const rgb = toRgb(part);
    const data = await this.#run(rgb, options);
    return new Mask({ data, width: rgb.width, height: rgb.height });
  }

  /** Frees the network. A second call has no effect. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#handle?.dispose();
    this.#handle = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
