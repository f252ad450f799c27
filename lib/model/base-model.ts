import { join, resolve } from 'node:path';
import type { NativeBaseSource, NativeModel, NativeModelInfo } from '../addon-types.js';
import { DualAnoDiffError } from '../core/errors.js';
import { embedded } from '../core/paths.js';
import { loadSchema } from '../options/base.js';
import { checkOptions, taskShape } from '../options/check.js';
import type { LoadSettings } from '../options/generated.js';
import { runNative } from '../run-native.js';
import { type BaseDefaults, NO_ADAPTER, readBaseDefaults } from './base-defaults.js';

/** Holds the options of {@link DualAnoDiff.load}. */
export type LoadOptions = LoadSettings & { signal?: AbortSignal };

/**
 * Returns the files of a base for the engine. `path` is a folder or a checkpoint file.
 * @internal
 */
export function baseSource(
  path: string,
  options: { baseConfig?: string | undefined; predictionType?: string | undefined },
): NativeBaseSource {
  return {
    path: resolve(path),
    configFolder: options.baseConfig === undefined ? '' : resolve(options.baseConfig),
    tokenizerFolder: join(embedded.base, 'tokenizer'), // Every Stable Diffusion 1.x and 2.x uses CLIP's tokenizer.
    predictionType: options.predictionType ?? '',
  };
}

/** Holds a loaded base. */
export interface LoadedBase {
  folder: string;
  handle: NativeModel;
  info: NativeModelInfo;
  defaults: BaseDefaults;
}

/**
 * Loads a Stable Diffusion 1.x or 2.x base: a diffusers folder (tokenizer, text_encoder, vae, unet, scheduler; whole or
 * sharded files, any precision), or one checkpoint file in the original naming (`.safetensors`, `.ckpt`).
 */
export async function loadBaseModel(base: string, options: LoadOptions): Promise<LoadedBase> {
  const { device, dtype, lora, taesd, signal: abort, ...source } = checkOptions(loadSchema.extend(taskShape), options);
  const native = {
    ...baseSource(base, source),
    ...{ device, dtype },
    loraFiles: lora.map(({ file }) => resolve(file)),
    loraScales: lora.map(({ scale }) => scale),
    taesd: taesd === undefined ? '' : resolve(taesd),
  };
  const { handle, info } = await runNative({ signal: abort }, (engine, task) => engine.loadModel(native, task));
  try {
    const defaults = readBaseDefaults(native.path);
    // The initial adapter was trained on the base without a LoRA, so it does not fit a base that a LoRA has changed.
    const initialAdapter = lora.length === 0 ? defaults.training.initialAdapter : NO_ADAPTER;
    return {
      folder: native.path,
      handle,
      info,
      defaults: { ...defaults, training: { ...defaults.training, initialAdapter } },
    };
  } catch (error) {
    handle.dispose();
    throw error;
  }
}

/** Holds a frozen base on a device for trainers and samplers. */
export class BaseModel {
  /** This is the path of the base: a folder or a checkpoint file. */
  readonly folder: string;
  /** Among other facts, this tells the device, the precision, and the number that image sides must be multiples of. */
  readonly info: Readonly<NativeModelInfo>;
  /** Settings of training and sampling that suit this base. */
  readonly defaults: Readonly<BaseDefaults>;
  #handle: NativeModel | undefined;

  /** @internal */
  protected constructor({ folder, handle, info, defaults }: LoadedBase) {
    this.folder = folder;
    this.#handle = handle;
    this.info = info;
    this.defaults = defaults;
  }

  /**
   * Releases the model. Its trainers and samplers continue to work, and its memory is freed with the last of them. A
   * second call has no effect.
   */
  async dispose(): Promise<void> {
    this.#handle?.dispose();
    this.#handle = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /**
   * Returns the engine's model. Trainers and samplers share its ownership. Throws ERR_DISPOSED.
   * @internal
   */
  get native(): NativeModel {
    if (!this.#handle) throw new DualAnoDiffError('The model is disposed', 'ERR_DISPOSED');
    return this.#handle;
  }
}
