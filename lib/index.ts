/**
 * Few-shot anomaly image generation (DualAnoDiff, CVPR 2025) for Node.
 *
 * @module dualanodiff
 */

export type { NativeModelInfo as ModelInfo } from './addon-types.js';
export { DualAnoDiffError } from './core/errors.js';
export type { RawImage } from './core/image.js';
export { embedded } from './core/paths.js';
export type { Tensor } from './core/tensor.js';
export { Dataset, type Example, type LoadedExample } from './dataset/dataset.js';
export type { Fit } from './dataset/fit.js';
export type { Kernel } from './dataset/image-file.js';
export type { Pair } from './dataset/pair.js';
export type { PairRecord } from './dataset/pair-record.js';
export { PairWriter } from './dataset/pair-writer.js';
export type { DropReason } from './dataset/selection.js';
export { Layouts, type LayoutsOptions } from './layouts.js';
export { type InstallOptions, installLibtorch } from './libtorch/install.js';
export type { AdapterInfo } from './model/adapter-info.js';
export {
  type AdapterConversion,
  type ConvertAdapterOptions,
  type ConvertCheckpointOptions,
  convertAdapter,
  convertCheckpoint,
} from './model/convert.js';
export { type DecodeOptions, DualAnoDiff, type LoadOptions, type TrainingDefaults } from './model/dualanodiff.js';
export {
  type Background,
  type ForegroundOptions,
  type ForegroundSource,
  loadBackgrounds,
  withForegroundSource,
} from './model/foreground.js';
export {
  type AttentionOptions,
  type Mask,
  Masker,
  type MaskerOptions,
  type MaskMethod,
  type ThresholdOptions,
} from './model/masker.js';
export type { PairBatch } from './model/pair-batch.js';
export { type BatchOptions, type SampleOptions, Sampler } from './model/sampler.js';
export {
  type PreviewOptions,
  type ResolvedTraining,
  Trainer,
  type TrainerOptions,
  type TrainOptions,
  type TrainStep,
} from './model/trainer.js';
export type { TaskOptions } from './run-native.js';
