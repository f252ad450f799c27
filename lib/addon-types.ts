/**
 * The whole contract of the native engine. Nothing outside `native.ts` imports the engine; nothing in here has a
 * default: every option is resolved before it crosses.
 */
import type {
  NativeDetectionScores,
  NativeLearner,
  NativeLearnerOptions,
  NativeMapOptions,
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
  NativeSampler,
  NativeTrainer,
  NativeTrainOptions,
} from './addon-types/pairs.js';

export type * from './addon-types/evaluation.js';
export type * from './addon-types/model.js';
export type * from './addon-types/pairs.js';

export interface NativeEngine {
  /**
   * How the threads of OpenMP wait: `own` for the engine's short spinning, `user` for what the environment says, else the
   * path of an OpenMP library that the process had opened before, whose way nothing can change.
   */
  readonly openMpWait: string;
  nativeInfo(): {
    builtForTorch: string;
    /** The engine's own operations, by their names in libtorch's dispatcher. */
    ops: string[];
    /** Engine objects that handles of this thread hold or that wait to be freed, and the bytes that V8 was told of. */
    held: { objects: number; bytes: number };
    /** The sets of CPU kernels that are used here: `avx2`, `avx512`, `avx512_bf16`. */
    kernels: string[];
    options: Record<
      | 'load'
      | 'train'
      | 'sample'
      | 'augmenter'
      | 'background'
      | 'mask'
      | 'learner'
      | 'map'
      | 'convertBase'
      | 'convertAdapter',
      string[]
    >;
  };
  /** For the exit of the process: ends all work, or the process where work does not end. */
  shutdown(exitCode: number): void;
  deviceInfo(task: NativeTask): Promise<NativeDeviceInfo>;
  /** How many libtorch uses for the work of the task's torch thread. */
  setThreads(count: number, task: NativeTask): Promise<void>;
  getThreads(task: NativeTask): Promise<number>;
  startProfile(task: NativeTask): Promise<void>;
  stopProfile(task: NativeTask): Promise<NativeRecordedTime[]>;
  readMetadata(path: string, task: NativeTask): Promise<Record<string, string>>;
  /** Work of tasks with one number waits for each other, and runs beside that of others. */
  Task: new (
    torchThread: number,
  ) => NativeTask;
  loadModel(options: NativeLoadOptions, task: NativeTask): Promise<{ handle: NativeModel; info: NativeModelInfo }>;
  createTrainer(
    model: NativeModel,
    options: NativeTrainOptions,
    images: Uint8Array,
    masks: Uint8Array,
    foregrounds: Uint8Array | undefined,
    task: NativeTask,
  ): Promise<NativeTrainer>;
  encodeBackgrounds(
    model: NativeModel,
    options: NativeBackgroundOptions,
    images: Uint8Array,
    foregrounds: Uint8Array,
    task: NativeTask,
  ): Promise<NativeBackgrounds>;
  /** Of the own format or of the published code. */
  readAdapter(path: string, task: NativeTask): Promise<NativeAdapter>;
  createSampler(model: NativeModel, adapter: NativeAdapter, task: NativeTask): Promise<NativeSampler>;
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
    options: NativeLearnerOptions,
    good: NativePool,
    defects: NativePool,
    groups: number[],
    types: number[],
    textures: NativePool | undefined,
    task: NativeTask,
  ): Promise<NativeLearner>;
  createClassifier(
    options: NativeLearnerOptions,
    good: NativePool,
    defects: NativePool,
    groups: number[],
    types: number[],
    classes: number,
    backbone: string,
    task: NativeTask,
  ): Promise<NativeLearner>;
  inceptionScore(images: NativePool, weights: string, device: string, task: NativeTask): Promise<number>;
  icLpips(
    generated: NativePool,
    real: NativePool,
    backbone: string,
    linear: string,
    device: string,
    task: NativeTask,
  ): Promise<number>;
  scoreMaps(
    maps: NativeTensor,
    masks: Uint8Array,
    options: NativeMapOptions,
    task: NativeTask,
  ): Promise<NativeDetectionScores>;
  convertBase(options: NativeConvertBaseOptions, task: NativeTask): Promise<void>;
  convertAdapter(options: NativeConvertAdapterOptions, task: NativeTask): Promise<NativeAdapterConversion>;
}
