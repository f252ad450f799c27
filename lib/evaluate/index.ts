/**
 * Measures the value of pairs. Detectors are trained on them and tested on real images.
 *
 * @module dualanodiff/evaluation
 */
export type { Decided, FalseAlarm, Miss } from '../dataset/missed-defect.js';
export type { Cost } from './detection.js';
export type { EvaluateOptions, Evaluation, EvaluationProgress, EvaluationRun } from './evaluation.js';
export { Evaluator, type EvaluatorOptions } from './evaluator.js';
export type { NetworkUse } from './networks-used.js';
export type { LearnerProtocol, Protocol } from './protocol.js';
export type { Quality } from './quality.js';
export type { GeneratedSet, Row } from './rows.js';
export {
  type ByType,
  type DetectorScores,
  type Interval,
  type Intervals,
  MEASURES,
  type Measure,
  type RunScores,
  type Scores,
} from './scores.js';
export type { Split } from './split.js';
export { type Cell, type Line, tableOf } from './table.js';
export type { TestedDefect } from './tested-defects.js';
export type { TestedGood, TestedImage, TestedPhotograph } from './tested-images.js';
export type { Decisions, DetectionDecisions, ThresholdBasis, ThresholdScores } from './thresholds.js';
