import { type Checkpoint, type FitOptions, runFit } from '../detect/fit.js';
import { scoreImage } from '../detect/scored.js';
import type { Photograph } from '../detect/tiles.js';
import { getEngine } from '../native.js';
import { callNative, type NativeTaskOptions, runNative } from '../run-native.js';
import { averagePixelAp, BestRound } from './best-round.js';
import { detectorOptions, type LearnerInput } from './learner-options.js';
import { type DetectorScores, type RunScores, scoreRun } from './scores.js';
import { MapRecorder, type TestedGood, type TestedImage } from './tested-images.js';
import { chooseThresholds, decideRun, type ThresholdImages, type ThresholdScores } from './thresholds.js';

/** The scores of a detector, and the images that it was tested on. */
export interface Detection extends RunScores<DetectorScores> {
  images: TestedImage[];
  good: TestedGood[];
  /** What is found at thresholds for use. It is missing in results of an earlier version. */
  thresholds?: ThresholdScores;
  /** What the detector costs. It is missing in results of an earlier version. */
  cost?: Cost;
}

/** What a detector costs on the machine that ran it. */
export interface Cost {
  /** The seconds of the fit, or of its last part if it was interrupted. */
  fitSeconds: number;
  /** The mean milliseconds for an image, without decoding it. */
  imageMs: number;
  /** The size of what a saved detector holds, in megabytes. */
  megabytes: number;
  /** At most this many networks shared the machine, so that times are longer. Earlier versions did not keep it. */
  concurrency?: number;
}

/** The input of a detector's run. Its maps are written to the subfolder `maps` of `folder`. */
export interface DetectionInput extends LearnerInput {
  folder: string;
  maps: string;
  thresholdImages: ThresholdImages;
  /** If true, the round that is best on the test images is tested, and not the last one. */
  bestEpoch: boolean;
  /** The number of networks that share the machine. */
  concurrency: number;
}

/** `steps` is the number of steps of the whole fit. */
export type OnFitStep = (step: number, steps: number, loss: number) => void;
export type Training = Omit<FitOptions, 'steps' | 'onStep' | 'afterStep'> & {
  checkpoint: Checkpoint;
  onStep: OnFitStep;
};

/** Fits a detector on good images and a row's defects, chooses thresholds for it, and tests it. */
export async function detect(
  { folder, maps, thresholdImages, bestEpoch, concurrency, ...input }: DetectionInput,
  training: Training,
): Promise<Detection> {
  const { protocol, training: set, data } = input;
  const { signal, torchThread, onStep } = training;
  const options: NativeTaskOptions = { signal, torchThread };
  const { handle, groups, types } = set.defects;
  const detector = await runNative(options, (engine, task) =>
    engine.createDetector(
      detectorOptions(input),
      ...([set.good.handle, handle, groups, types, data.textures?.handle, task] as const),
    ),
  );
  const engine = await getEngine();
  const scorer = callNative(() => engine.createMapScorer());
  try {
    const steps = detector.steps();
    const start = performance.now();
    const measure = () => averagePixelAp(data, ({ image }) => scoreImage(detector, image, protocol, options), options);
    const best = bestEpoch ? new BestRound(detector, steps, training.checkpoint, measure, options) : undefined;
    await best?.open();
    await runFit(detector, {
      ...{ ...training, steps },
      onStep: (step, loss) => onStep(step, steps, loss),
      afterStep: best && ((step) => best.afterStep(step)),
    });
    await best?.restore();
    const fitSeconds = (performance.now() - start) / 1000;
    let [scoredMs, scored] = [0, 0];
    const score = async ({ image }: Photograph) => {
      const from = performance.now();
      const result = await scoreImage(detector, image, protocol, options);
      scoredMs += performance.now() - from;
      scored++;
      return result;
    };
    const recorder = new MapRecorder(folder, maps, scorer, input.detector, options);
    const tested = [...data.testDefects.keys()];
    await recorder.clean(tested);
    for (const [type, images] of data.testDefects) {
      for (const image of images) {
        const photograph = await image.load();
        await recorder.addDefect(type, image, photograph, await score(photograph));
      }
    }
    for (const image of data.testGood) {
      const photograph = await image.load();
      await recorder.addGood(image, photograph, await score(photograph));
    }
    const { images, good } = recorder;
    const chosen = await chooseThresholds(thresholdImages, score, options);
    const cost = { fitSeconds, imageMs: scoredMs / scored, megabytes: detector.bytes() / 1e6, concurrency };
    const thresholds = { ...chosen, ...(await decideRun(scorer, tested, chosen.thresholds, options)) };
    return { ...(await scoreRun(scorer, tested, options)), images, good, thresholds, cost };
  } finally {
    scorer.dispose();
    detector.dispose();
  }
}
