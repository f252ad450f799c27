/**
 * Generates anomaly images from a few examples (DualAnoDiff, CVPR 2025) in Node.
 *
 * @module dualanodiff
 */

export type { NativeModelInfo as ModelInfo } from './addon-types.js';
export { DualAnoDiffError } from './core/errors.js';
export { type Channels, type Mask, type PixelData, RawImage } from './core/image.js';
export { embedded } from './core/paths.js';
export type { Purpose } from './dataset/contents.js';
export type { Box, Size } from './dataset/cut.js';
export { Dataset, type Example, type FindForeground, type LoadedExample, type Position } from './dataset/dataset.js';
export type { GeneratedPair, MaskedPair, WritablePair } from './dataset/generated-pair.js';
export { encodePng, type Kernel, readImage, type Stored } from './dataset/image-file.js';
export type { ImageGroup, ImageInMemory, ImageInput, ImageMaker, ImageSource } from './dataset/image-source.js';
export type { DatasetInput, ExampleInput } from './dataset/memory-contents.js';
export type { MissedDefect } from './dataset/missed-defect.js';
export type { DefectOnObject, DefectPosition, ObjectPlace } from './dataset/object-frame.js';
export type { Pair, PairData } from './dataset/pair.js';
export type { PairSource } from './dataset/pair-list.js';
export type { DropReason, PairRecord, PlacedDefect } from './dataset/pair-record.js';
export { PairWriter } from './dataset/pair-writer.js';
export type { Window } from './dataset/photograph-window.js';
export type { TrainingImage } from './dataset/training-region.js';
export {
  type DetectedImage,
  Detector,
  type FitOptions,
  type FitProgress,
} from './detect/detector.js';
export type { DetectorInfo, Thresholds } from './detect/detector-info.js';
export type { DetectorData } from './detect/fit-detector.js';
export type { ScoreMap } from './detect/resize-scores.js';
export { type InstallOptions, installLibtorch } from './libtorch/install.js';
export { Adapter } from './model/adapter.js';
export type { AdapterInfo } from './model/adapter-info.js';
export type { TrainedExample } from './model/adapter-lists.js';
export type { BaseDefaults } from './model/base-defaults.js';
export type { BaseModel, LoadOptions } from './model/base-model.js';
export {
  type AdapterConversion,
  type ConvertAdapterOptions,
  type ConvertCheckpointOptions,
  convertAdapter,
  convertCheckpoint,
} from './model/convert.js';
export { DualAnoDiff } from './model/dualanodiff.js';
export type { BackgroundInput } from './model/encoded-backgrounds.js';
export { type Background, type ForegroundSource, loadBackgrounds, withForegroundSource } from './model/foreground.js';
export type { GenerateOptions } from './model/generate.js';
export type { LearnOptions } from './model/learn.js';
export { Masker } from './model/masker.js';
export { type PlaceOptions, Placer } from './model/placer.js';
export { type SampleOptions, Sampler } from './model/sampler.js';
export type { PreviewOptions, TrainOptions, TrainStep } from './model/train-options.js';
export { Trainer } from './model/trainer.js';
export type { ResolvedTraining } from './model/training-settings.js';
export type { TypePrompts } from './model/type-prompts.js';
export type {
  AttentionOptions,
  AugmentSettings,
  ConvertAdapterSettings,
  ConvertCheckpointSettings,
  DetectorSettings,
  ForegroundOptions,
  LoadSettings,
  MaskerOptions,
  MaskSettings,
  PlaceSettings,
  SampleSettings,
  ThresholdOptions,
  TrainerOptions,
  TrainSettings,
} from './options/generated.js';
export type {
  BackboneName,
  DataFormat,
  DefectSource,
  DetectorName,
  Fit,
  MaskMethod,
  WeightsName,
} from './options/names.js';
export { type AugmentOptions, augment } from './recipes/augment.js';
export type { TaskOptions } from './run-native.js';
export { type InstallWeightsOptions, installWeights } from './weights/install.js';
export { type ForegroundModel, foregroundModel } from './weights/locate.js';
