import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { NativeModel, NativeModelInfo } from './addon-types.js';
import { DualAnoDiffError, ModelError } from './errors.js';
import { checkOptions, flag, given, integer, real, text } from './options/check.js';
import { DEFAULT_PROMPTS, loadSchema } from './options/schemas.js';
import { runNative } from './run-native.js';

/** Options of {@link DualAnoDiff.load}. */
export type LoadOptions = z.input<typeof loadSchema>;

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
  defectShare: number;
  /** The adapter that training starts from: the base folder's `initial_adapter.safetensors`, else 'none'. */
  initialAdapter: string;
  /** Prompts; `{category}` and `{type}` stand for the dataset's names, with spaces for underscores. */
  globalPrompt: string;
  anomalyPrompt: string;
  /** Sampling starts from the training images' colour level instead of pure noise, which a small base mistakes for it. */
  matchLevels: boolean;
}

const PAPER_DEFAULTS: TrainingDefaults = {
  resolution: 512,
  steps: 5000,
  batchSize: 4,
  learningRate: 5e-6,
  timestepPower: 1,
  defectShare: 0,
  initialAdapter: 'none',
  globalPrompt: DEFAULT_PROMPTS.global,
  anomalyPrompt: DEFAULT_PROMPTS.anomaly,
  matchLevels: false,
};
const DEFAULTS_FILE = 'dualanodiff.json';
const INITIAL_ADAPTER_FILE = 'initial_adapter.safetensors';
const defaultsSchema = z
  .strictObject({
    resolution: integer(8, 4096),
    steps: integer(1),
    batchSize: integer(1, 1024),
    learningRate: real(0, 1),
    timestepPower: real(1, 10),
    defectShare: real(0, 1),
    globalPrompt: text(),
    anomalyPrompt: text(),
    matchLevels: flag(),
  })
  .partial();

function readDefaults(folder: string): TrainingDefaults {
  const path = join(folder, DEFAULTS_FILE);
  const start = join(folder, INITIAL_ADAPTER_FILE);
  const initialAdapter = existsSync(start) ? start : PAPER_DEFAULTS.initialAdapter;
  if (!existsSync(path)) return { ...PAPER_DEFAULTS, initialAdapter };
  try {
    const own = given(checkOptions(defaultsSchema, JSON.parse(readFileSync(path, 'utf8'))));
    return { ...PAPER_DEFAULTS, ...own, initialAdapter };
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
  /** The base's folder. */
  readonly folder: string;
  /** Device, precision and what image sides must be multiples of. */
  readonly info: Readonly<NativeModelInfo>;
  /** Training settings that suit this base. */
  readonly defaults: Readonly<TrainingDefaults>;
  #handle: NativeModel | undefined;
  #holds = 0;
  #released: (() => void) | undefined;
  #disposal: Promise<void> | undefined;

  private constructor(folder: string, handle: NativeModel, info: NativeModelInfo, defaults: TrainingDefaults) {
    this.folder = folder;
    this.#handle = handle;
    this.info = info;
    this.defaults = defaults;
  }

  /**
   * Loads a base in the diffusers folder layout (tokenizer, text_encoder, vae, unet, scheduler).
   *
   * Throws ERR_MODEL_INVALID naming the part that the folder lacks, ERR_WEIGHTS_INVALID naming a tensor that does not
   * fit, ERR_DEVICE_UNAVAILABLE, ERR_LIBTORCH_MISSING.
   */
  static async load(folder: string, options: LoadOptions = {}): Promise<DualAnoDiff> {
    const { device, dtype, signal } = checkOptions(loadSchema, options);
    const path = resolve(folder);
    const { handle, info } = await runNative({ signal }, (engine, task) =>
      engine.loadModel({ folder: path, device, dtype }, task),
    );
    return new DualAnoDiff(path, handle, info, readDefaults(path));
  }

  /**
   * Frees the model once every trainer and sampler on it is disposed. May be called twice.
   */
  dispose(): Promise<void> {
    this.#disposal ??= (async () => {
      const handle = this.#handle;
      this.#handle = undefined;
      if (this.#holds > 0)
        await new Promise<void>((done) => {
          this.#released = done;
        });
      handle?.dispose();
    })();
    return this.#disposal;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /**
   * Keeps the model alive for a trainer or a sampler; the second value lets go.
   * @internal
   */
  hold(): [NativeModel, () => void] {
    if (!this.#handle) throw new DualAnoDiffError('The model is disposed', 'ERR_DISPOSED');
    this.#holds++;
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      if (--this.#holds === 0) this.#released?.();
    };
    return [this.#handle, release];
  }
}
