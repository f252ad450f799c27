/** The evaluation's part of the engine. */
import type { NativeTask, NativeTensor } from './model.js';

export interface NativeLearnerOptions {
  /** Base width of the network. */
  channels: number;
  batchSize: number;
  iterations: number;
  learningRate: number;
  /** Of the good images. */
  flips: boolean;
  seed: number;
  source: string;
  flipDefects: boolean;
  device: string;
}

/** Of the images or maps that come with it. */
export interface NativeMapOptions {
  count: number;
  width: number;
  height: number;
}

/** Each 0 to 1; NaN where the images have no defect, or nothing but defects. */
export interface NativeDetectionScores {
  pixelAuroc: number;
  pixelAp: number;
  pixelF1Max: number;
  pixelAuPro: number;
  imageAuroc: number;
  imageAp: number;
  imageF1Max: number;
}

/** Pictures of one size. */
export interface NativePool {
  append(images: Uint8Array, masks: Uint8Array | undefined, count: number): void;
  dispose(): void;
}

/** A network of the evaluation. */
export interface NativeLearner {
  step(task: NativeTask): Promise<{ step: number; loss: number }>;
  predict(images: Uint8Array, options: NativeMapOptions, task: NativeTask): Promise<NativeTensor>;
  saveCheckpoint(path: string, metadata: Record<string, string>, task: NativeTask): Promise<void>;
  loadCheckpoint(path: string, task: NativeTask): Promise<number>;
  dispose(): void;
}
