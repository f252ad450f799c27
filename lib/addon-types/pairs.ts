/** Declares the engine's types for training adapters and for generating pairs and masks. */
import type { NativePrompts, NativeTask, NativeTensor } from './model.js';

export interface NativeTrainOptions {
  rank: number;
  batchSize: number;
  gradientAccumulation: number;
  warmupSteps: number;
  learningRate: number;
  weightDecay: number;
  maxGradNorm: number;
  timestepPower: number;
  defectLossShare: number;
  /** The path of an adapter to start from, or '' for a new one. */
  initialAdapter: string;
  branches: string;
  background: string;
  backgroundScaled: boolean;
  /** One for each type. */
  globalPrompts: string[];
  anomalyPrompts: string[];
  trainTextEncoder: boolean;
  gradientCheckpointing: boolean;
  seed: number;
  partFill: string;
  flips: boolean;
  /** One of 'both', 'noise' and 'place'. */
  recipe: string;
  /** The pixels along each side of a window. */
  resolution: number;
}

export interface NativeSampleOptions {
  steps: number;
  width: number;
  height: number;
  guidanceScale: number;
  /** Guidance applies between `guidedFrom` and `guidedTo`, as positions between image (0) and noise (1). */
  guidedFrom: number;
  guidedTo: number;
  reuseFeatures: number;
  eta: number;
  scheduler: string;
  globalPrompt: string;
  anomalyPrompt: string;
  negativePrompt: string;
  seed: number;
  startFromLatentMean: boolean;
  attention: boolean;
  fastDecoder: boolean;
}

export interface NativeBackgroundOptions {
  /** The number of pairs that share a background. */
  every: number;
  scaled: boolean;
  freshNoise: boolean;
  /** One of 'no', 'device' and 'host'. */
  keepFeatures: string;
  seed: number;
  /** The number of images that are passed with the options. */
  count: number;
  width: number;
  height: number;
}

export interface NativeBackgrounds {
  dispose(): void;
}

export interface NativeMaskOptions {
  width: number;
  height: number;
  /** 0 to 1. */
  threshold: number;
  /** The grey value of the part's background, 0 to 255. */
  fill: number;
}

/** An adapter in memory. It may come from a file or from a trainer. */
export interface NativeAdapter {
  /** Returns the adapter's metadata, with its `background`. */
  metadata(): Record<string, string>;
  /** Writes a file in this package's format, completely or not at all. */
  save(path: string, task: NativeTask): Promise<void>;
  /** Returns a few of the training windows that the adapter stores, from number `first`. After the last, it is empty. */
  examples(first: number, task: NativeTask): Promise<NativeExample[]>;
  dispose(): void;
}

/** Generates pairs without a model. */
export interface NativeAugmenter {
  /** Generates the pairs of these indices, each with a mask. `fill` is `grey` or `black`. */
  draw(indices: number[], fill: string, task: NativeTask): Promise<NativePair[]>;
  dispose(): void;
}

export interface NativeStep {
  step: number;
  loss: number;
  /** The norm of the gradient before clipping. It is not finite if the step was skipped. */
  gradNorm: number;
  learningRate: number;
  /** The factor that the loss was multiplied by in float16, so that small gradients do not become 0. */
  lossScale?: number;
  /** The number of steps so far that were skipped in float16 because their gradients overflowed. */
  skippedSteps?: number;
}

export interface NativePair {
  index: number;
  image: Uint8Array;
  part: Uint8Array;
  /** One byte per pixel. It is present only if it was requested. */
  attention?: Uint8Array;
  /** One byte per pixel. Only pairs of an augmenter have it. */
  mask?: Uint8Array;
}

export interface NativeTrainer {
  step(task: NativeTask): Promise<NativeStep>;
  saveCheckpoint(path: string, metadata: Record<string, string>, task: NativeTask): Promise<void>;
  loadCheckpoint(path: string, task: NativeTask): Promise<number>;
  loadFinished(path: string, steps: number, task: NativeTask): Promise<void>;
  /** Copies the trained weights into an adapter with these metadata and the latent means of the training images. */
  adapter(metadata: Record<string, string>, task: NativeTask): Promise<NativeAdapter>;
  preview(options: NativeSampleOptions, indices: number[], task: NativeTask): Promise<NativePair[]>;
  dispose(): void;
}

export type NativeProgress = (step: number, steps: number) => void;

export interface NativeBatch {
  step(latents: NativeTensor | undefined, task: NativeTask): Promise<NativeTensor>;
  decode(task: NativeTask): Promise<NativePair[]>;
  dispose(): void;
}

/** A batch before its first denoising step. */
export interface NativeBegun {
  handle: NativeBatch;
  timesteps: number[];
  latents: NativeTensor;
}

/** A batch whose pairs may still be in the transfer from the device. */
export interface NativeDrawn {
  /** Waits for the pairs and returns them. It may be called once only. */
  take(task: NativeTask): Promise<NativePair[]>;
  dispose(): void;
}

export interface NativeSampler extends NativePrompts {
  draw(
    options: NativeSampleOptions,
    indices: number[],
    backgrounds: NativeBackgrounds | undefined,
    task: NativeTask,
    progress: NativeProgress,
  ): Promise<NativeDrawn>;
  begin(
    options: NativeSampleOptions,
    indices: number[],
    backgrounds: NativeBackgrounds | undefined,
    task: NativeTask,
  ): Promise<NativeBegun>;
  /** Draws a defect into the place of each window. */
  place(
    options: NativePlaceOptions,
    windows: NativePlaceWindow[],
    task: NativeTask,
    progress: NativeProgress,
  ): Promise<NativePlaced[]>;
  textEncode(prompts: string[], task: NativeTask): Promise<NativeTensor>;
  predict(
    latents: NativeTensor,
    timesteps: NativeTensor,
    textStates: NativeTensor,
    task: NativeTask,
  ): Promise<NativeTensor>;
  dispose(): void;
}

/** A window of a photograph in which a defect is placed. Images are RGB; masks have one byte for each pixel. */
export interface NativePlaceWindow {
  /** The index of the pair. With the seed and the attempt, it decides the noise. */
  index: number;
  /** 0 at first. A pair that was not usable is drawn again with the next number. */
  attempt: number;
  photograph: Uint8Array;
  /** The weight of what is drawn: nothing may be drawn at 0, and 255 shows all of it. */
  place: Uint8Array;
  /** A real defect at its position in the window, from which sampling starts if `strength` is below 1. */
  defect?: { image: Uint8Array; mask: Uint8Array };
  /** Not 0 in the foreground. Adapters with background compensation need it. */
  foreground?: Uint8Array;
}

export interface NativePlaceOptions extends NativeSampleOptions {
  /** The share of the noise that sampling starts with, above 0, at most 1. */
  strength: number;
}

/** A drawn window, as large as the model's images. */
export interface NativePlaced {
  index: number;
  part: Uint8Array;
  /**
   * The difference of what the model drew and what the autoencoder makes of the photograph, times the weights of the
   * place. RGB, in units of [-1, 1].
   */
  change: Float32Array;
  /** The defect's mask: 0 and 255. It comes from the part and the change, inside the place. */
  mask: Uint8Array;
}

export interface NativePasteOptions {
  /** The pixels along each side of the window in the photograph. */
  side: number;
  /** The channels of the photograph, 1 or 3. */
  channels: number;
  /** The pixels along each side of the change and the mask. */
  resolution: number;
}

export interface NativePasted {
  /** As large as the photograph's window. */
  image: Uint8Array;
  /** 0 and 255, as large as the photograph's window. */
  mask: Uint8Array;
  /** The largest difference to the photograph inside the mask, 0 to 1. */
  contrast: number;
  /**
   * The mean difference to the photograph inside the mask, divided by the standard deviation of the photograph there
   * and nearby.
   */
  contrastToNoise: number;
  /** The IoU of the mask and of the pixels that differ from the photograph by at least 0.04 of the range. */
  fit: number;
}

export interface NativeMoveOptions {
  width: number;
  height: number;
  seed: number;
  /** The pixels of the box that the defect is scaled and moved to. Without it, the defect moves at random. */
  box?: { left: number; top: number; width: number; height: number };
  /**
   * Radians by which the defect is turned, from the axis of the columns (x) towards that of the rows (y). It is not
   * flipped then. It has no meaning with a box.
   */
  angle?: number;
}

/** A piece of a training photograph at the adapter's scale. Training cuts its windows out of it. */
export interface NativeTrainingRegion {
  /** RGB. Each side has at least as many pixels as a window. */
  image: Uint8Array;
  /** One byte for each pixel, not 0 inside the defect. It is 0 everywhere for a good region. */
  mask: Uint8Array;
  /** One byte for each pixel, not 0 inside the object. Only with background compensation. */
  foreground?: Uint8Array;
  width: number;
  height: number;
  /** The place of the region's type among the prompts. */
  type: number;
  /** The pixel in the middle of the region's own defect. Without it, the middle of the region counts. */
  centre?: { x: number; y: number };
}

/** The regions of a training. `append` copies one, so that no single call copies all of them. */
export interface NativeTrainingRegions {
  append(region: NativeTrainingRegion): void;
  dispose(): void;
}

/** A training window that an adapter stores, so that `place` can start from a real defect. */
export interface NativeExample {
  /** The place of its region in the list that the trainer received. */
  region: number;
  type: number;
  /** RGB, `size` pixels along each side. */
  image: Uint8Array;
  mask: Uint8Array;
  size: number;
}

export interface NativeMasker {
  mask(part: Uint8Array, options: NativeMaskOptions, task: NativeTask): Promise<Uint8Array>;
  dispose(): void;
}
