/**
 * Declares everything that the native engine exports. Only `native.ts` imports the engine. No option here has a
 * default, because the callers resolve all defaults before they call the engine.
 */
import type {
  NativeClassifier,
  NativeClassifierOptions,
  NativeDetector,
  NativeDetectorOptions,
  NativeFeatureComparison,
  NativeMapScorer,
  NativePool,
} from './addon-types/evaluation.js';
import type {
  NativeAdapterConversion,
  NativeConvertAdapterOptions,
  NativeConvertBaseOptions,
  NativeDeviceInfo,
  NativeLoadOptions,
  NativeModel,
  NativeModelInfo,
  NativeRecordedTime,
  NativeTask,
  NativeTensor,
} from './addon-types/model.js';
import type {
  NativeAdapter,
  NativeAugmenter,
  NativeBackgroundOptions,
  NativeBackgrounds,
  NativeMasker,
  NativeMaskOptions,
  NativeMoveOptions,
  NativePasted,
  NativePasteOptions,
  NativeSampler,
  NativeTrainer,
  NativeTrainingRegions,
  NativeTrainOptions,
} from './addon-types/pairs.js';

export type * from './addon-types/evaluation.js';
export type * from './addon-types/model.js';
export type * from './addon-types/pairs.js';

export interface NativeEngine {
  /**
   * The wait policy of the OpenMP threads. `own` means that the engine has set a short spinning time, and `user` means
   * that environment variables set the policy. A path names an OpenMP library that the process had loaded before, whose
   * policy can no longer be changed.
   */
  readonly openMpWait: string;
  nativeInfo(): {
    builtForTorch: string;
    /** The names of the engine's own operations in libtorch's dispatcher. */
    ops: string[];
    /** The number of engine objects of this thread that are not freed yet, and the bytes that were reported to V8. */
    held: { objects: number; bytes: number };
    /** The sets of CPU kernels that this machine uses: `avx2`, `avx512`, `avx512_bf16`, `amx`. */
    kernels: string[];
    /** True if the CPU has AMX but the operating system does not let this process use it. */
    isAmxRefused: boolean;
    options: Record<
      | 'load'
      | 'train'
      | 'sample'
      | 'place'
      | 'paste'
      | 'move'
      | 'augmenter'
      | 'background'
      | 'mask'
      | 'classifier'
      | 'detector'
      | 'map'
      | 'convertBase'
      | 'convertAdapter',
      string[]
    >;
  };
  /** Cancels all work when the process exits. Ends the process at once if the work does not stop. */
  shutdown(exitCode: number): void;
  deviceInfo(task: NativeTask): Promise<NativeDeviceInfo>;
  /** Sets the number of threads that libtorch uses for the task's torch thread. */
  setThreads(count: number, task: NativeTask): Promise<void>;
  getThreads(task: NativeTask): Promise<number>;
  startProfile(task: NativeTask): Promise<void>;
  stopProfile(task: NativeTask): Promise<NativeRecordedTime[]>;
  readMetadata(path: string, task: NativeTask): Promise<Record<string, string>>;
  /** Tasks of one torch thread run one after the other, and in parallel to the tasks of other torch threads. */
  Task: new (
    torchThread: number,
  ) => NativeTask;
  loadModel(options: NativeLoadOptions, task: NativeTask): Promise<{ handle: NativeModel; info: NativeModelInfo }>;
  createRegions(): NativeTrainingRegions;
  createTrainer(
    model: NativeModel,
    options: NativeTrainOptions,
    regions: NativeTrainingRegions,
    task: NativeTask,
  ): Promise<NativeTrainer>;
  encodeBackgrounds(
    model: NativeModel,
    options: NativeBackgroundOptions,
    images: Uint8Array,
    foregrounds: Uint8Array,
    task: NativeTask,
  ): Promise<NativeBackgrounds>;
  /** Reads an adapter in this package's format or in the format of the published code. */
  readAdapter(path: string, task: NativeTask): Promise<NativeAdapter>;
  /** With `takesTensors`, the adapter can only be disposed of afterwards. */
  createSampler(
    model: NativeModel,
    adapter: NativeAdapter,
    takesTensors: boolean,
    task: NativeTask,
  ): Promise<NativeSampler>;
  /**
   * Flips, turns, scales and moves the defect of a training window. Takes RGB and a mask of one byte for each pixel, and
   * returns both.
   */
  moveDefect(
    image: Uint8Array,
    mask: Uint8Array,
    options: NativeMoveOptions,
    task: NativeTask,
  ): Promise<{ image: Uint8Array; mask: Uint8Array }>;
  /** Adds a drawn change to the photograph inside its softened mask. */
  pasteBack(
    photograph: Uint8Array,
    change: Float32Array,
    mask: Uint8Array,
    options: NativePasteOptions,
    task: NativeTask,
  ): Promise<NativePasted>;
  loadMasker(path: string, device: string, task: NativeTask): Promise<NativeMasker>;
  lacksContrast(part: Uint8Array, width: number, height: number, task: NativeTask): Promise<boolean>;
  thresholdMask(part: Uint8Array, options: NativeMaskOptions, task: NativeTask): Promise<Uint8Array>;
  createAugmenter(
    options: { seed: number },
    defects: NativePool,
    good: NativePool,
    task: NativeTask,
  ): Promise<NativeAugmenter>;
  createPool(width: number, height: number): NativePool;
  createDetector(
    options: NativeDetectorOptions,
    good: NativePool,
    defects: NativePool,
    groups: number[],
    types: number[],
    textures: NativePool | undefined,
    task: NativeTask,
  ): Promise<NativeDetector>;
  /** Reads a detector that was saved. */
  loadDetector(path: string, device: string, task: NativeTask): Promise<NativeDetector>;
  /** Returns the score of an image whose detector gives only a map. Its shape is [height, width]. */
  imageScore(map: NativeTensor, task: NativeTask): Promise<number>;
  createClassifier(
    options: NativeClassifierOptions,
    good: NativePool,
    defects: NativePool,
    groups: number[],
    types: number[],
    classes: number,
    backbone: string,
    task: NativeTask,
  ): Promise<NativeClassifier>;
  /** Returns the features of each image by `inception-v3` or a backbone, [images, channels]. */
  imageFeatures(
    images: NativePool,
    network: string,
    weights: string,
    device: string,
    task: NativeTask,
  ): Promise<NativeTensor>;
  /** Compares features of generated images with those of real ones, of which each shows one of `parts`. */
  compareFeatures(
    generated: NativeTensor,
    real: NativeTensor,
    parts: readonly number[],
    task: NativeTask,
  ): Promise<NativeFeatureComparison>;
  inceptionScore(images: NativePool, weights: string, device: string, task: NativeTask): Promise<number>;
  icLpips(
    generated: NativePool,
    real: NativePool,
    backbone: string,
    linear: string,
    device: string,
    task: NativeTask,
  ): Promise<number>;
  createMapScorer(): NativeMapScorer;
  convertBase(options: NativeConvertBaseOptions, task: NativeTask): Promise<void>;
  convertAdapter(options: NativeConvertAdapterOptions, task: NativeTask): Promise<NativeAdapterConversion>;
}
