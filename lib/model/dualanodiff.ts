import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { NativeBaseSource, NativeModel, NativeModelInfo } from '../addon-types.js';
import { DualAnoDiffError, InvalidOptionError, ModelError } from '../core/errors.js';
import { type RawImage, toRgb } from '../core/image.js';
import { embedded } from '../core/paths.js';
import { checkTensor, type Tensor } from '../core/tensor.js';
import { checkOptions, flag, given, integer, real, text } from '../options/check.js';
import { DEFAULT_PROMPTS, loadSchema } from '../options/schemas.js';
import { runNative, type TaskOptions } from '../run-native.js';
import { nameInFiles } from './adapter-info.js';
import { checkPrompts, quoted, warnOfLongPrompts } from './prompts.js';

/**
 * Options of {@link DualAnoDiff.load}.
 * @interface
 */
export type LoadOptions = z.input<typeof loadSchema>;

/** Options of {@link DualAnoDiff.decode}. */
export type DecodeOptions = TaskOptions & { decoder?: 'vae' | 'taesd' };

/**
 * Where the engine finds a base: `path` is a folder or a checkpoint file.
 * @internal
 */
export function baseSource(
  path: string,
  options: { configFolder?: string | undefined; predictionType?: string | undefined },
): NativeBaseSource {
  return {
    path: resolve(path),
    configFolder: options.configFolder === undefined ? '' : resolve(options.configFolder),
    tokenizerFolder: join(embedded.base, 'tokenizer'), // CLIP's, which every Stable Diffusion 1.x and 2.x has
    predictionType: options.predictionType ?? '',
  };
}

/** Settings that suit a base; the paper's where its folder says nothing. */
export interface TrainingDefaults {
  /** Pixels along each side. */
  resolution: number;
  steps: number;
  /** Pairs. */
  batchSize: number;
  learningRate: number;
  /** Timesteps are drawn with density p t^(p-1): 1 is the paper's uniform draw, more favours high noise. */
  timestepPower: number;
  /** At least this share of the loss comes from the defect; 0 is the paper's loss. */
  defectLossShare: number;
  /** The adapter that training starts from: the base folder's `initial_adapter.safetensors`, else 'none'. */
  initialAdapter: string;
  /** Prompts; `{category}` and `{type}` stand for the dataset's names, with spaces for underscores. */
  globalPrompt: string;
  anomalyPrompt: string;
  /**
   * Sampling starts from the mean of the training images' latents, their colour, instead of pure noise, which a small
   * base mistakes for it.
   */
  startFromLatentMean: boolean;
}

const PAPER_DEFAULTS: TrainingDefaults = {
  resolution: 512,
  steps: 5000,
  batchSize: 4,
  learningRate: 5e-6,
  timestepPower: 1,
  defectLossShare: 0,
  initialAdapter: 'none',
  globalPrompt: DEFAULT_PROMPTS.global,
  anomalyPrompt: DEFAULT_PROMPTS.anomaly,
  startFromLatentMean: false,
};
const DEFAULTS_FILE = 'dualanodiff.json';
const INITIAL_ADAPTER_FILE = 'initial_adapter.safetensors';
const defaultSchemas = {
  resolution: integer(8, 4096),
  steps: integer(1),
  batchSize: integer(1, 1024),
  learningRate: real(0, 1),
  timestepPower: real(1, 10),
  defectLossShare: real(0, 1),
  globalPrompt: text(),
  anomalyPrompt: text(),
  startFromLatentMean: flag(),
};
const options = Object.keys(defaultSchemas) as (keyof typeof defaultSchemas)[];
const fileSchema = z
  .strictObject(Object.fromEntries(options.map((option) => [nameInFiles(option), defaultSchemas[option]])))
  .partial();

function readDefaults(folder: string): TrainingDefaults {
  if (!statSync(folder).isDirectory()) return PAPER_DEFAULTS;
  const path = join(folder, DEFAULTS_FILE);
  const start = join(folder, INITIAL_ADAPTER_FILE);
  const initialAdapter = existsSync(start) ? start : PAPER_DEFAULTS.initialAdapter;
  if (!existsSync(path)) return { ...PAPER_DEFAULTS, initialAdapter };
  try {
    const file: Record<string, unknown> = checkOptions(fileSchema, JSON.parse(readFileSync(path, 'utf8')));
    const own = Object.fromEntries(options.map((option) => [option, file[nameInFiles(option)]]));
    return { ...PAPER_DEFAULTS, ...given(own), initialAdapter };
  } catch (cause) {
    throw new ModelError(`${path}: ${(cause as Error).message}`, 'ERR_MODEL_INVALID', { cause });
  }
}

/**
 * A Stable Diffusion base, frozen: what adapters are trained on and sampled with.
 *
 * @example
 * await using model = await DualAnoDiff.load('stable-diffusion-v1-5');
 */
export class DualAnoDiff {
  /** The base's folder, or its checkpoint file. */
  readonly folder: string;
  /** Device, precision and what image sides must be multiples of. */
  readonly info: Readonly<NativeModelInfo>;
  /** Training settings that suit this base. */
  readonly defaults: Readonly<TrainingDefaults>;
  #handle: NativeModel | undefined;

  private constructor(folder: string, handle: NativeModel, info: NativeModelInfo, defaults: TrainingDefaults) {
    this.folder = folder;
    this.#handle = handle;
    this.info = info;
    this.defaults = defaults;
  }

  /**
   * Loads a Stable Diffusion 1.x or 2.x base: a diffusers folder (tokenizer, text_encoder, vae, unet, scheduler; whole or
   * sharded files, any precision), or one checkpoint file in the original naming (`.safetensors`, `.ckpt`).
   *
   * Throws ERR_MODEL_INVALID naming the part that the base lacks, ERR_WEIGHTS_INVALID naming a tensor that does not
   * fit, ERR_DEVICE_UNAVAILABLE, ERR_LIBTORCH_MISSING.
   */
  static async load(base: string, options: LoadOptions = {}): Promise<DualAnoDiff> {
    const { device, dtype, loras, taesd, signal, ...source } = checkOptions(loadSchema, options);
    const native = {
      ...baseSource(base, source),
      ...{ device, dtype },
      loraFiles: loras.map(({ file }) => resolve(file)),
      loraScales: loras.map(({ scale }) => scale),
      taesd: taesd === undefined ? '' : resolve(taesd),
    };
    const { handle, info } = await runNative({ signal }, (engine, task) => engine.loadModel(native, task));
    try {
      const defaults = readDefaults(native.path);
      // An adapter that fits the base as it is does not fit what the LoRA made of it.
      const fitting = loras.length === 0 ? defaults : { ...defaults, initialAdapter: PAPER_DEFAULTS.initialAdapter };
      return new DualAnoDiff(native.path, handle, info, fitting);
    } catch (error) {
      handle.dispose();
      throw error;
    }
  }

  /**
   * An image as latents, (1, channels, h, w): the posterior's mean, scaled as the UNet sees it. Sides must be multiples
   * of `info.resolutionMultiple`. Throws ERR_NON_FINITE.
   */
  async encode(image: RawImage, { signal }: TaskOptions = {}): Promise<Tensor> {
    const { data, width, height } = toRgb(image);
    const handle = this.#alive();
    return runNative({ signal }, (_, task) => handle.encode(data, width, height, task));
  }

  /** Latents, (1, channels, h, w), scaled as the UNet sees them, as an RGB image. Throws ERR_NON_FINITE. */
  async decode(latents: Tensor, { decoder = 'vae', signal }: DecodeOptions = {}): Promise<RawImage> {
    const handle = this.#alive();
    const fast = decoder === 'taesd';
    if (!fast && decoder !== 'vae') {
      throw new InvalidOptionError(`Expected vae or taesd for decoder but received ${String(decoder)}`);
    }
    if (fast && !this.info.fastDecoder) {
      throw new InvalidOptionError('Expected vae for decoder but received taesd: the model was loaded without one');
    }
    const checked = checkTensor(latents, 'latents');
    const data = await runNative({ signal }, (_, task) => handle.decode(checked, fast, task));
    const [height, width] = checked.shape.slice(2) as [number, number];
    const factor = Math.round(Math.sqrt(data.length / 3 / (width * height)));
    return { data, width: width * factor, height: height * factor, channels: 3 };
  }

  /**
   * Prompts as the UNet's cross-attention sees them, (N, 77, width), without any adapter. A prompt of more than 75 tokens
   * is cut, with a warning of the process.
   */
  async textEncode(prompts: string[], { signal }: TaskOptions = {}): Promise<Tensor> {
    const handle = this.#alive();
    checkPrompts(prompts);
    await warnOfLongPrompts(handle, quoted(prompts));
    return runNative({ signal }, (_, task) => handle.textEncode(prompts, task));
  }

  /**
   * Lets go of the model. Trainers and samplers on it go on; its memory is freed with the last of them. May be called
   * twice.
   */
  async dispose(): Promise<void> {
    this.#handle?.dispose();
    this.#handle = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /**
   * For trainers and samplers, whose native parts share its ownership.
   * @internal
   */
  get native(): NativeModel {
    return this.#alive();
  }

  #alive(): NativeModel {
    if (!this.#handle) throw new DualAnoDiffError('The model is disposed', 'ERR_DISPOSED');
    return this.#handle;
  }
}
