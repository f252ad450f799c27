import { type NativeTaskOptions, runNative } from '../run-native.js';
import { type LearnerInput, learnerOptions, predict, type TrainLearnerOptions, trainLearner } from './learner.js';
import { mean } from './scores.js';

/** Shares of the tested defects whose type was told, 0 to 1. */
export interface Accuracy {
  types: Record<string, number>;
  /** The mean of the types. */
  average: number;
  /** Of all images. */
  together: number;
}

export interface ClassificationInput extends LearnerInput {
  /** A file of torchvision's ResNet-18 to start from. */
  weights: string | undefined;
}

/** The shares of right ones among `probabilities`, those of each image one after the other, types in the order of `counts`. */
export function accuracyOf(probabilities: Float32Array, counts: ReadonlyMap<string, number>): Accuracy {
  const types: Record<string, number> = {};
  let [from, right] = [0, 0];
  for (const [index, [type, count]] of [...counts].entries()) {
    let found = 0;
    for (let image = from; image < from + count; image++) {
      const row = probabilities.subarray(image * counts.size, (image + 1) * counts.size);
      if (row.indexOf(Math.max(...row)) === index) found++;
    }
    types[type] = found / count;
    from += count;
    right += found;
  }
  return { types, average: mean(Object.values(types)), together: right / from };
}

/** Trains a classifier of the types on a row's defects, and tests it. */
export async function classify(
  { row, protocol, defects, data, seed, device, weights }: ClassificationInput,
  training: Omit<TrainLearnerOptions, 'iterations'>,
): Promise<Accuracy> {
  const { signal, torchThread } = training;
  const options: NativeTaskOptions = { signal, torchThread };
  const native = learnerOptions(row, protocol, protocol.classifier, { seed, device });
  const { handle, groups, types } = defects.pool;
  const classifier = await runNative(options, (engine, task) =>
    engine.createClassifier(
      native,
      data.good.handle,
      handle,
      groups,
      types,
      data.testDefects.size,
      weights ?? '',
      task,
    ),
  );
  try {
    await trainLearner(classifier, { ...training, iterations: protocol.classifier.iterations });
    const squares = [...data.testDefects.values()].flat();
    const probabilities = await predict(classifier, squares, protocol.resolution, options);
    return accuracyOf(probabilities, new Map([...data.testDefects].map(([type, list]) => [type, list.length])));
  } finally {
    classifier.dispose();
  }
}
