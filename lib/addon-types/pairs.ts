/** What of the engine trains adapters, and what draws pairs and masks. */
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
  /** A file; '' for a fresh adapter. */
  initialAdapter: string;
  branches: string;
  background: string;
  backgroundScaled: boolean;
  globalPrompt: string;
  anomalyPrompt: string;
  trainTextEncoder: boolean;
  gradientCheckpointing: boolean;
  seed: number;
  partFill: string;
  flips: boolean;
  /** Of the images that come with the options. */
  count: number;
  width: number;
  height: number;
}

export interface NativeSampleOptions {
  steps: number;
  width: number;
  height: number;
  guidanceScale: number;
  /** The guided calls, by their place between image (0) and noise (1). */
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
  /** Pairs that share a background. */
  every: number;
  scaled: boolean;
  freshNoise: boolean;
  /** 'no', 'device' or 'host'. */
  keepFeatures: string;
  seed: number;
  /** Of the images that come with the options. */
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
  /** The part's blank level, 0 to 255. */
  fill: number;
}

/** An adapter in memory, whether it was read from a file or not. */
export interface NativeAdapter {
  /** What it says of itself, with its `background`. */
  metadata(): Record<string, string>;
  /** Writes the own format, whole or not at all. */
  save(path: string, task: NativeTask): Promise<void>;
  dispose(): void;
}

/** Draws pairs without a model. */
export interface NativeAugmenter {
  /** `fill` is `grey` or `black`. Every pair has its mask. */
  draw(indices: number[], fill: string, task: NativeTask): Promise<NativePair[]>;
  dispose(): void;
}

export interface NativeStep {
  step: number;
  loss: number;
  /** Before clipping. Not finite where the step was skipped. */
  gradNorm: number;
  learningRate: number;
  /** In float16: what the loss was multiplied by, so that gradients do not vanish. */
  lossScale?: number;
  /** In float16: the steps of the run so far whose gradients overflowed, and which changed no weights. */
  skippedSteps?: number;
}

export interface NativePair {
  index: number;
  image: Uint8Array;
  part: Uint8Array;
  /** One byte a pixel, where it was asked for. */
  attention?: Uint8Array;
  /** One byte a pixel, of pairs that an augmenter drew. */
  mask?: Uint8Array;
}

export interface NativeTrainer {
  step(task: NativeTask): Promise<NativeStep>;
  saveCheckpoint(path: string, metadata: Record<string, string>, task: NativeTask): Promise<void>;
  loadCheckpoint(path: string, task: NativeTask): Promise<number>;
  loadFinished(path: string, steps: number, task: NativeTask): Promise<void>;
  /** A copy of what is trained, with these metadata and the latent means of the training images. */
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

/** A batch before its first call. */
export interface NativeBegun {
  handle: NativeBatch;
  timesteps: number[];
  latents: NativeTensor;
}

/** A batch whose pairs may still be on their way from the device. */
export interface NativeDrawn {
  /** Once. */
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
  textEncode(prompts: string[], task: NativeTask): Promise<NativeTensor>;
  predict(
    latents: NativeTensor,
    timesteps: NativeTensor,
    textStates: NativeTensor,
    task: NativeTask,
  ): Promise<NativeTensor>;
  dispose(): void;
}

export interface NativeMasker {
  mask(part: Uint8Array, options: NativeMaskOptions, task: NativeTask): Promise<Uint8Array>;
  dispose(): void;
}
