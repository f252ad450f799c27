/** Turns the settings of a run into the engine's options. */
import type { NativeClassifierOptions, NativeDetectorOptions } from '../addon-types.js';
import { type DetectorKind, flipsDefects, type LearnerProtocol } from '../detect/kinds.js';
import type { TrainingSet } from '../detect/training-set.js';
import type { EvaluationData } from './evaluation-data.js';
import type { Protocol } from './protocol.js';
import { GOOD_ONLY, type Row } from './rows.js';

/** The training data and test data of a network. */
export interface LearnerInput {
  row: Row;
  detector: DetectorKind;
  protocol: Protocol;
  training: TrainingSet;
  data: EvaluationData;
  seed: number;
  device: string;
}

/** Returns the source of the defects that a detector learns from in a row. */
export const sourceOf = (row: Row, detector: DetectorKind): string =>
  row === GOOD_ONLY ? detector.madeUp : row.source;

function learnerOptions(
  { row, protocol, seed, device }: LearnerInput,
  { channels, batchSize, iterations, learningRate }: LearnerProtocol,
  source: string,
): NativeClassifierOptions {
  const { flips } = protocol;
  const flipDefects = flipsDefects(flips, row.generated !== undefined);
  return { channels, batchSize, iterations, learningRate, flips, seed, device, source, flipDefects };
}

/** Returns the engine's options for the classifier of a row. */
export const classifierOptions = (input: LearnerInput): NativeClassifierOptions =>
  learnerOptions(input, input.protocol.classifier, input.row.source);

/** Returns the engine's options for a detector that is fitted on a row. */
export function detectorOptions(input: LearnerInput): NativeDetectorOptions {
  const { row, detector, protocol, data } = input;
  const settings = protocol.detectors[detector.name] as LearnerProtocol;
  const backbone = data.backbones.get(detector.name);
  return {
    ...learnerOptions(input, settings, sourceOf(row, detector)),
    detector: detector.name,
    backbone: backbone?.name ?? '',
    backboneFile: backbone?.file ?? '',
  };
}
