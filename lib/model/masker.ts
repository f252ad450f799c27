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
   * U2-Net or U2-NetP (or a smaller one) from `.safetensors` or `.pth`; without a file, the embedded one. A pixel belongs
   * to the mask where the saliency, spread to 0..1, is at least `threshold` (0.5 by default). Where the network finds
   * nothing, with a probability below 0.05 everywhere, the mask is empty.
   * Throws ERR_WEIGHTS_INVALID naming the file and the reason; nothing in the file is executed.
   */
  static async load(file: string = embedded.maskModel, options: MaskerOptions = {}): Promise<Masker> {
    const { device, threshold } = checkOptions(maskerSchema, options);
    const handle = await runNative({}, (engine, task) => engine.loadMasker(resolve(file), device, task));
    const run: Method = ({ data, width, height }, taskOptions) =>
      runNative(taskOptions, (_, task) => handle.mask(data, { width, height, threshold, fill: 0 }, task));
    return new Masker('u2net', run, handle);
  }

  /** A pixel belongs to the mask where its distance from the part's fill is at least `threshold` (0.12 by default). */
  static threshold(options: ThresholdOptions = {}): Masker {
    const { partFill, threshold } = checkOptions(thresholdSchema, options);
    return new Masker('threshold', ({ data, width, height }, taskOptions) =>
      runNative(taskOptions, (engine, task) =>
        engine.thresholdMask(data, { width, height, threshold, fill: fillLevel[partFill] }, task),
      ),
    );
  }

  /**
   * For pairs that were sampled with `attention`: a pixel belongs to the mask where the attention map, spread to 0..1, is
   * at least `threshold` (0.5 by default). `mask` takes the map in the part's place.
   */
  static attention(options: AttentionOptions = {}): Masker {
    const { threshold } = checkOptions(attentionSchema, options);
    return new Masker('attention', async ({ data }) => {
      const grey = data.filter((_, i) => i % 3 === 0);
      const isFlat = grey.every((value) => value === grey[0]); // it looked nowhere more than elsewhere
      return grey.map((value) => (!isFlat && value >= 255 * threshold ? 255 : 0));
    });
  }

  /** The mask of a pair: of its part, or of its attention map. */
  async maskPair(pair: PairData, options: TaskOptions = {}): Promise<Mask> {
    if (this.method !== 'attention') return this.mask(pair.part, options);
    if (!pair.attention) {
      throw new InvalidOptionError(
        'Expected pairs that were sampled with attention: true for masks from attention maps',
      );
    }
    // A map is spread to the full range, so it has its brightest place even where the part shows nothing.
    const { data, width, height } = toRgb(pair.part);
    const isBlank = await runNative(options, (engine, task) => engine.lacksContrast(data, width, height, task));
    const blank = { data: new Uint8Array(data.length / 3), width, height, channels: 1 } as const;
    return this.mask(isBlank ? blank : pair.attention, options);
  }

  /**
   * The mask of a part of any size; empty for a part of one colour, grain aside.
   * Throws ERR_NON_FINITE naming the weights whose results are not finite.
   */
  async mask(part: PixelData, options: TaskOptions = {}): Promise<Mask> {
    if (this.#disposed) throw new DualAnoDiffError('The masker is disposed', 'ERR_DISPOSED');
    const rgb = toRgb(part);
    const data = await this.#run(rgb, options);
    return new Mask({ data, width: rgb.width, height: rgb.height });
  }

  /** Frees the network. May be called twice. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#handle?.dispose();
    this.#handle = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
