/** Declares the engine's types for evaluations. */
import type { NativeTask, NativeTensor } from './model.js';

export interface NativeClassifierOptions {
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

/** The options of a detector. With the source `none` it gets no defects. */
export interface NativeDetectorOptions extends NativeClassifierOptions {
  detector: string;
  /** The name of the backbone and the path of its weights. Both are empty for a detector without one. */
  backbone: string;
  backboneFile: string;
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
  pixelAuPro5: number;
  imageAuroc: number;
  imageAp: number;
  imageF1Max: number;
}

/** An interval of a score, from its low end to its high end. Both are NaN if the score has none. */
export type NativeInterval = [low: number, high: number];
export type NativeIntervals = Record<keyof NativeDetectionScores, NativeInterval>;

/** How a bootstrap draws the images. `level` is the share of replicates inside an interval, 0 to 1. */
export interface NativeBootstrapOptions {
  replicates: number;
  seed: number;
  level: number;
}

/** The scores from which on pixels and images are called defects. They are NaN if there was nothing to choose from. */
export interface NativeThresholds {
  pixel: number;
  image: number;
}

/** 0 to 1 each. `precision` is NaN if nothing is called a defect, and `recall` is NaN if there is none. */
export interface NativeDecisions {
  f1: number;
  precision: number;
  recall: number;
}

/** The maps of tested images, in sets that are measured alone or together. */
export interface NativeMapScorer {
  /**
   * `map` has the shape [height, width] and finite scores of any range. `score` is the score of the image, which
   * defaults to one that follows from the map. `part` is the same number for all images of one part. Returns the pixel
   * average precision, which is NaN without a defect.
   */
  add(
    set: string,
    map: NativeTensor,
    mask: Uint8Array,
    options: { part: number; score?: number | undefined },
    task: NativeTask,
  ): Promise<number>;
  score(sets: readonly string[], task: NativeTask): Promise<NativeDetectionScores>;
  /** Returns the intervals of each type with the images of the set `good`, of the types' mean, and of all images. */
  bootstrap(
    types: readonly string[],
    good: string,
    options: NativeBootstrapOptions,
    task: NativeTask,
  ): Promise<{ types: NativeIntervals[]; average: NativeIntervals; together: NativeIntervals }>;
  /** Returns the thresholds with the best F1. */
  bestThresholds(sets: readonly string[], task: NativeTask): Promise<NativeThresholds>;
  /** Returns thresholds that at most a share of `above` of the good pixels and images reaches. */
  quantileThresholds(sets: readonly string[], above: number, task: NativeTask): Promise<NativeThresholds>;
  /** Measures what is called a defect at these thresholds. */
  decide(
    sets: readonly string[],
    thresholds: NativeThresholds,
    task: NativeTask,
  ): Promise<{ pixels: NativeDecisions; images: NativeDecisions }>;
  dispose(): void;
}

/** The distances between generated and real images. Each is NaN if there are too few images or parts for it. */
export interface NativeFeatureComparison {
  /** The unbiased kernel distance of the two sets, near 0 for images of one kind. It may be negative. */
  kernelDistance: number;
  /** The median cosine distance from a generated image to the nearest real one, 0 to 2. */
  nearest: number;
  /** The median from a real image to the nearest one of another part. */
  nearestReal: number;
  /** The share of generated images that are nearer to a real one than any two real parts are to each other. */
  copies: number;
}

/** Images of one size, some of them with masks. */
export interface NativePool {
  append(images: Uint8Array, masks: Uint8Array | undefined, count: number): void;
  dispose(): void;
}

/** A network or memory that is fitted step by step. */
export interface NativeFitted {
  step(task: NativeTask): Promise<{ step: number; loss: number }>;
  saveCheckpoint(path: string, metadata: Record<string, string>, task: NativeTask): Promise<void>;
  loadCheckpoint(path: string, task: NativeTask): Promise<number>;
  dispose(): void;
}

export interface NativeDetector extends NativeFitted {
  /** The number of steps of the whole fit. */
  steps(): number;
  /** The size of what a saved detector holds, in bytes. */
  bytes(): number;
  /** Returns the maps, (count, height, width), and the scores of the images if the detector defines them, (count). */
  score(
    images: Uint8Array,
    options: NativeMapOptions,
    task: NativeTask,
  ): Promise<{ maps: NativeTensor; scores: NativeTensor | undefined }>;
  save(path: string, metadata: Record<string, string>, task: NativeTask): Promise<void>;
}

export interface NativeClassifier extends NativeFitted {
  /** Returns the probabilities of the types, (count, types). */
  predict(images: Uint8Array, options: NativeMapOptions, task: NativeTask): Promise<NativeTensor>;
}
