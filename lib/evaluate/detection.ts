import { getEngine } from '../native.js';
import { callNative, type NativeTaskOptions, runNative } from '../run-native.js';
import { type LearnerInput, learnerOptions, type TrainLearnerOptions, trainLearner } from './learner.js';
import { type DetectorScores, type RunScores, scoreRun } from './scores.js';
import { mapOf } from './test-images.js';
import { MapRecorder, type TestedGood, type TestedImage } from './tested-images.js';

/** The scores of a detector, and the images that it was tested on. */
export interface Detection extends RunScores<DetectorScores> {
  images: TestedImage[];
  good: TestedGood[];
}

/**
 * Trains a detector on good images and a row's defects, and then tests it. Its maps are written to the subfolder `maps`
 * of `folder`.
 */
export async function detect(
  { row, protocol, training: set, data, seed, device, folder, maps }: LearnerInput & { folder: string; maps: string },
  training: Omit<TrainLearnerOptions, 'iterations'>,
): Promise<Detection> {
  const { signal, torchThread } = training;
  const options: NativeTaskOptions = { signal, torchThread };
  const native = learnerOptions(row, protocol, protocol, { seed, device });
  const { handle, groups, types } = set.defects;
  const detector = await runNative(options, (engine, task) =>
    engine.createDetector(native, set.good.handle, handle, groups, types, data.textures?.handle, task),
  );
  const engine = await getEngine();
  const scorer = callNative(() => engine.createMapScorer());
  try {
    await trainLearner(detector, { ...training, iterations: protocol.iterations });
    const recorder = new MapRecorder(folder, maps, scorer, options);
    const tested = [...data.testDefects.keys()];
    await recorder.clean(tested);
    for (const [type, images] of data.testDefects) {
      for (const { name, load } of images) {
        const photograph = await load();
        await recorder.addDefect(type, name, photograph, await mapOf(detector, photograph, protocol, options));
      }
    }
    for (const { name, load } of data.testGood) {
      const photograph = await load();
      await recorder.addGood(name, photograph, await mapOf(detector, photograph, protocol, options));
    }
    const { images, good } = recorder;
    return { ...(await scoreRun(scorer, tested, options)), images, good };
  } finally {
    scorer.dispose();
    detector.dispose();
  }
}
