import { type NativeTaskOptions, runNative } from '../run-native.js';
import { type LearnerInput, learnerOptions, predict, type TrainLearnerOptions, trainLearner } from './learner.js';
import { type DetectorScores, type RunScores, scoreRun, type Tested } from './scores.js';
import type { NamedSquare } from './squares.js';

/** The scores of a detector, and its maps of the tested images. */
export interface Detection {
  scores: RunScores<DetectorScores>;
  /** The images of defects, by type. */
  tested: Map<string, Tested>;
  good: Tested;
}

/** Trains a detector on good images and a row's defects, and then tests it. */
export async function detect(
  { row, protocol, defects, data, seed, device }: LearnerInput,
  training: Omit<TrainLearnerOptions, 'iterations'>,
): Promise<Detection> {
  const { signal, torchThread } = training;
  const options: NativeTaskOptions = { signal, torchThread };
  const native = learnerOptions(row, protocol, protocol, { seed, device });
  const { handle, groups, types } = defects.pool;
  const detector = await runNative(options, (engine, task) =>
    engine.createDetector(native, data.good.handle, handle, groups, types, data.textures?.handle, task),
  );
  try {
    await trainLearner(detector, { ...training, iterations: protocol.iterations });
    const size = protocol.resolution;
    const test = async (squares: readonly NamedSquare[]) => ({
      squares,
      maps: await predict(detector, squares, size, options),
    });
    const tested = new Map<string, Tested>();
    for (const [type, squares] of data.testDefects) tested.set(type, await test(squares));
    const good = await test(data.testGood);
    return { scores: await scoreRun(good, tested, size, options), tested, good };
  } finally {
    detector.dispose();
  }
}
