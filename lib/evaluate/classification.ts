import { runFit } from '../detect/fit.js';
import { type NativeTaskOptions, runNative } from '../run-native.js';
import type { Training } from './detection.js';
import { classifierOptions, type LearnerInput } from './learner-options.js';
import { mean } from './scores.js';
import { typeProbabilities } from './test-images.js';

/** The shares of tested defects that were classified correctly, 0 to 1. */
export interface Accuracy {
  types: Record<string, number>;
  /** The mean over the types. */
  average: number;
  /** The share of all tested images. */
  together: number;
}

export interface ClassificationInput extends LearnerInput {
  /** The path of torchvision's ResNet-18 weights to start from. */
  weights: string | undefined;
}

/**
 * Computes the accuracy from the class probabilities of all images, (images, types) in row-major order. `counts` holds
 * the number of images of each type, in the order of the images and of the classes.
 */
export function accuracyOf(probabilities: Float32Array, counts: ReadonlyMap<string, number>): Accuracy {
  const types: Record<string, number> = {};
  let [from, correct] = [0, 0];
  for (const [index, [type, count]] of [...counts].entries()) {
    let correctOfType = 0;
    for (let image = from; image < from + count; image++) {
      const row = probabilities.subarray(image * counts.size, (image + 1) * counts.size);
      if (row.indexOf(Math.max(...row)) === index) correctOfType++;
    }
    types[type] = correctOfType / count;
    from += count;
    correct += correctOfType;
  }
  return { types, average: mean(Object.values(types)), together: correct / from };
}

/** Trains a classifier of the defect types on a row's defects and tests it. */
export async function classify({ weights, ...input }: ClassificationInput, training: Training): Promise<Accuracy> {
  const { protocol, training: set, data } = input;
  const { signal, torchThread, onStep } = training;
  const options: NativeTaskOptions = { signal, torchThread };
  const native = classifierOptions(input);
  const { handle, groups, types } = set.defects;
  const classifier = await runNative(options, (engine, task) =>
    engine.createClassifier(native, set.good.handle, handle, groups, types, data.testDefects.size, weights ?? '', task),
  );
  try {
    const steps = protocol.classifier.iterations;
    await runFit(classifier, { ...training, steps, onStep: (step, loss) => onStep(step, steps, loss) });
    const probabilities: number[] = [];
    for (const image of [...data.testDefects.values()].flat()) {
      probabilities.push(...(await typeProbabilities(classifier, image, protocol, options)));
    }
    return accuracyOf(
      Float32Array.from(probabilities),
      new Map([...data.testDefects].map(([type, list]) => [type, list.length])),
    );
  } finally {
    classifier.dispose();
  }
}
