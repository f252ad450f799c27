/** Declares the engine's types for evaluations. */
import type { NativeTask, NativeTensor } from './model.js';

export interface NativeLearnerOptions {
  /** The base width of the network, in channels. */
  channels: number;
  batchSize: number;
  iterations: number;
  learningRate: number;
  /** If true, good images are flipped at random. */
  flips: boolean;
  seed: number;
  source: string;
  flipDefects: boolean;
  device: string;
}

/** The number and size of the images or maps that are passed with it. */
export interface NativeMapOptions {
  count: number;
  width: number;
  height: number;
}

/** 0 to 1 each. A score is NaN if the images show no defect, or only defects. */
export interface NativeDetectionScores {
  pixelAuroc: number;
  pixelAp: number;
  pixelF1Max: number;
  pixelAuPro: number;
  imageAuroc: number;
  imageAp: number;
  imageF1Max: number;
}

/** The maps of tested images, in sets that are measured alone or together. */
export interface NativeMapScorer {
  /** `map` has the shape [height, width]. Returns the pixel average precision, which is NaN without a defect. */
  add(set: string, map: NativeTensor, mask: Uint8Array, task: NativeTask): Promise<number>;
  score(sets: readonly string[], task: NativeTask): Promise<NativeDetectionScores>;
  dispose(): void;
}

/** Images of one size, some of them with masks. */
export interface NativePool {
  append(images: Uint8Array, masks: Uint8Array | undefined, count: number): void;
  dispose(): void;
}

/** A detector or classifier of the evaluation. */
export interface NativeLearner {
  step(task: NativeTask): Promise<{ step: number; loss: number }>;
  predict(images: Uint8Array, options: NativeMapOptions, task: NativeTask): Promise<NativeTensor>;
  saveCheckpoint(path: string, metadata: Record<string, string>, task: NativeTask): Promise<void>;
  loadCheckpoint(path: string, task: NativeTask): Promise<number>;
  dispose(): void;
}
