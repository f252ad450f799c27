/** Declares the results and the progress of an evaluation. */
import type { TaskOptions } from '../run-native.js';
import type { Cost } from './detection.js';
import type { NetworkUse } from './networks-used.js';
import type { Protocol } from './protocol.js';
import type { Quality } from './quality.js';
import type { RunScores } from './scores.js';
import type { TestedGood, TestedImage } from './tested-images.js';
import type { ThresholdScores } from './thresholds.js';

/** The progress of an evaluation. */
export interface EvaluationProgress {
  row: string;
  /** The name of the run's detector. */
  detector: string;
  seed: number;
  /** The number of real photographs of each type, if `shots` are evaluated. */
  shots: number | undefined;
  network: 'detector' | 'classifier';
  /** The training step of this network. A detector that is not trained reports the share that it has finished. */
  step: number;
  /** The loss of the step. It is undefined for a step without one, and for a result of an earlier process. */
  loss: number | undefined;
  /** The finished training steps of all rows, seeds and networks, including those of earlier processes. */
  done: number;
  /** Those of `done` that earlier processes made. It grows when a run is reached of which there is a result or a checkpoint. */
  doneBefore: number;
  /** All training steps of the evaluation. */
  total: number;
}

export type EvaluateOptions = TaskOptions & { onProgress?: (progress: EvaluationProgress) => void };

/** The result of one detector on one row with one seed. */
export interface EvaluationRun extends RunScores {
  row: string;
  detector: string;
  seed: number;
  /** The number of real photographs of each type, if `shots` are evaluated. */
  shots?: number;
  /** The number of images of defects, or of tiles around them, that the networks were trained on. */
  defects: number;
  /** The number of images that were left out because their masks are empty. */
  emptyMasks: number;
  seconds: number;
  /** What the detector finds at thresholds for use. Maps and results of an earlier version have none. */
  thresholds?: ThresholdScores;
  /** What the detector costs. Maps and results of an earlier version have none. */
  cost?: Cost;
  /** The tested images of defects. */
  images: TestedImage[];
  /** The tested good images. The list is empty in results of an earlier version. */
  good: TestedGood[];
}

/** The results of all runs and the data that they used. */
export interface Evaluation {
  category: string;
  types: readonly string[];
  rows: readonly string[];
  /** The names of the evaluated detectors. Each has runs in the rows that it can learn from. */
  detectors: readonly string[];
  /** True if the round that is best on the test images is reported. The names of the detectors say so. */
  bestEpoch: boolean;
  /** The rows whose maps another program has made. They are not trained here. */
  maps: readonly string[];
  /** The evaluated numbers of real photographs of each type. It is missing if all training images were used. */
  shots?: readonly number[];
  protocol: Protocol & { name: string };
  /** The number of test images of each type, and of good ones. */
  tested: Record<string, number>;
  /** The number of images that were left out of the test because a training image shows the same part. */
  leftOut: number;
  /** The number of images that were left out of the test because they are generated. */
  synthetic: number;
  /** The number of real training images of each type, and of good ones. */
  training: Record<string, number>;
  runs: EvaluationRun[];
  /** The quality of the generated sets. It is empty if no network was at hand that could measure it. */
  quality: Quality[];
  /** The networks whose weights come from files, and what each is used for. */
  networks: NetworkUse[];
}
