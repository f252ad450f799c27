/**
 * Gives access to the parts of the method: latents, text states, single calls of the dual UNet, and sampling by steps.
 * @module dualanodiff/tensors
 */
import { InvalidOptionError } from './core/errors.js';
import { type PixelData, RawImage, toRgb } from './core/image.js';
import { checkTensor, type Tensor } from './core/tensor.js';
import type { BaseModel } from './model/base-model.js';
import { PairBatch } from './model/pair-batch.js';
import { checkPrompts, quoted, warnOfLongPrompts } from './model/prompts.js';
import { type SampleOptions, type Sampler, sessionShape } from './model/sampler.js';
import { checkOptions } from './options/check.js';
import type { BatchSettings } from './options/generated.js';
import { batchSchema } from './options/sampling.js';
import { runNative, type TaskOptions } from './run-native.js';

export type { Tensor } from './core/tensor.js';
export { PairBatch } from './model/pair-batch.js';
export type { BatchSettings } from './options/generated.js';

/** Holds the options of {@link decode}. */
export type DecodeOptions = TaskOptions & { decoder?: 'vae' | 'taesd' };

/** Holds the options of {@link begin}. */
export type BatchOptions = BatchSettings & TaskOptions & Pick<SampleOptions, 'backgrounds'>;

/**
 * Encodes an image to latents, (1, channels, h, w). They are the mean of the posterior, scaled for the UNet. The sides
 * of the image must be multiples of `model.info.resolutionMultiple`. Throws ERR_NON_FINITE.
 */
export async function encode(model: BaseModel, image: PixelData, { signal }: TaskOptions = {}): Promise<Tensor> {
  const { data, width, height } = toRgb(image);
  const { native } = model;
  return runNative({ signal }, (_, task) => native.encode(data, width, height, task));
}

/** Decodes latents, (1, channels, h, w), scaled for the UNet, to an RGB image. Throws ERR_NON_FINITE. */
export async function decode(
  model: BaseModel,
  latents: Tensor,
  { decoder = 'vae', signal }: DecodeOptions = {},
): Promise<RawImage> {
  const { native } = model;
  const isFast = decoder === 'taesd';
  if (!isFast && decoder !== 'vae') {
    throw new InvalidOptionError(`Expected vae or taesd for decoder but received ${String(decoder)}`);
  }
  if (isFast && !model.info.fastDecoder) {
    throw new InvalidOptionError('Expected vae for decoder but received taesd: the model was loaded without one');
  }
  const checked = checkTensor(latents, 'latents');
  const data = await runNative({ signal }, (_, task) => native.decode(checked, isFast, task));
  const [height, width] = checked.shape.slice(2) as [number, number];
  const factor = Math.round(Math.sqrt(data.length / 3 / (width * height)));
  return new RawImage({ data, width: width * factor, height: height * factor, channels: 3 });
}

/**
 * Encodes prompts for the UNet's cross-attention and returns (N, 77, width). A sampler encodes them with the LoRA of
 * its adapter, and a model without one. A prompt of more than 75 tokens is cut, with a process warning.
 */
export async function textEncode(
  encoder: BaseModel | Sampler,
  prompts: string[],
  { signal }: TaskOptions = {},
): Promise<Tensor> {
  const { native } = encoder;
  checkPrompts(prompts);
  await warnOfLongPrompts(native, quoted(prompts));
  return runNative({ signal }, (_, task) => native.textEncode(prompts, task));
}

/**
 * Makes one call of the dual UNet. `latents` have the shape (2 N, channels, h, w), with rows (pair, branch). Each row
 * needs one timestep and one text state, (77, width). Returns the prediction of the model (see `info.predictionType`),
 * which has the shape of the latents.
 */
export async function predict(
  sampler: Sampler,
  { latents, timesteps, textStates }: { latents: Tensor; timesteps: number[]; textStates: Tensor },
  { signal }: TaskOptions = {},
): Promise<Tensor> {
  const { native } = sampler;
  if (!Array.isArray(timesteps) || !timesteps.every(Number.isFinite)) {
    throw new InvalidOptionError('Expected a list of finite numbers for timesteps');
  }
  const times = { data: Float32Array.from(timesteps), shape: [timesteps.length] };
  const rows = [checkTensor(latents, 'latents'), checkTensor(textStates, 'textStates')] as const;
  return runNative({ signal }, (_, task) => native.predict(rows[0], times, rows[1], task));
}

const beginSchema = batchSchema.pick({ indices: true, attention: true }).extend(sessionShape);

/** Begins a batch of pairs that is denoised step by step. `Sampler.sample` makes the same steps at once. */
export async function begin(sampler: Sampler, options: BatchOptions): Promise<PairBatch> {
  const { indices, attention, backgrounds: inputs, signal, ...settings } = options;
  const session = checkOptions(beginSchema, { indices, attention, backgrounds: inputs, signal });
  const { native: handle } = sampler;
  const { native, backgrounds } = await sampler.prepare(settings, session);
  try {
    const begun = await runNative({ signal }, (_, task) => handle.begin(native, session.indices, backgrounds, task));
    return new PairBatch({ begun, backgrounds, size: native.width, seed: native.seed });
  } catch (error) {
    backgrounds?.dispose();
    throw error;
  }
}
