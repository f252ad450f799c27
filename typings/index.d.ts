/** Few-shot anomaly image generation (DualAnoDiff, CVPR 2025) for Node. */
export { Dataset, type Example, type LoadedExample } from './dataset/dataset.js';
export { type Background, type ForegroundOptions, type ForegroundSource, loadBackgrounds, withForegroundSource, } from './dataset/foreground.js';
export { type PairRecord, PairWriter } from './dataset/pair-writer.js';
export { AbortedError, DatasetError, DualAnoDiffError, FileAccessError, InvalidOptionError, LibtorchError, ModelError, OutOfMemoryError, TrainingError, } from './errors.js';
export type { RawImage } from './image.js';
export { type InstallOptions, installLibtorch } from './libtorch/install.js';
export { type Mask, Masker, type MaskerOptions, type ThresholdOptions } from './masker.js';
export { DualAnoDiff, type LoadOptions, type TrainingDefaults } from './model.js';
export { embedded } from './paths.js';
export { type AdapterInfo, type Pair, type SampleOptions, Sampler } from './sampler.js';
export { type PreviewOptions, Trainer, type TrainerOptions, type TrainOptions, type TrainStep } from './trainer.js';
