import { resolve } from 'node:path';
import { lockFile } from '../core/write-lock.js';
import { Dataset, type Example } from '../dataset/dataset.js';
import { groupsOf } from '../dataset/groups.js';
import { defectSourceOf, takesDefects } from '../detect/defect-source.js';
import { Detector } from '../detect/detector.js';
import type { Thresholds } from '../detect/detector-info.js';
import { viewOf } from '../detect/fit-detector.js';
import { DETECTORS } from '../detect/kinds.js';
import type { Photograph } from '../detect/tiles.js';
import { holdBack } from '../evaluate/held-back.js';
import { openGenerated } from '../evaluate/rows.js';
import { chooseThresholds, type ThresholdBasis, thresholdImages } from '../evaluate/thresholds.js';
import { checkOptions } from '../options/check.js';
import { detectorOptions, fitSchema } from '../options/detect.js';
import type { FitJobOptions } from '../options/generated.js';
import type { DefectSource } from '../options/names.js';
import { pickGiven } from '../recipes/recipe.js';
import type { JobContext } from './job.js';

/** Holds the result of fitting a detector. */
export interface FitResult {
  /** The file of the detector. */
  out: string;
  detector: string;
  /** This number of good photographs was learned from. */
  good: number;
  /** This number of real and of generated images of defects was given. */
  real: number;
  generated: number;
  /** Scores of at least these are called defects. They are stored in the file. */
  thresholds: Thresholds;
  chosenOn: ThresholdBasis;
  seconds: number;
}

const countOf = (examples: ReadonlyMap<string, readonly Example[]>) =>
  [...examples.values()].reduce((sum, list) => sum + list.length, 0);

/**
 * Returns the good images to learn from. A detector that learns from them alone knows them too well to choose a
 * threshold on them, so that some are held back.
 */
async function goodOf(dataset: Dataset, source: DefectSource): Promise<ReturnType<typeof holdBack>> {
  const good = await dataset.goodImages('train');
  if (takesDefects(source)) return { learned: [...good], heldBack: [] };
  const numbers = await groupsOf(good, await dataset.listedGroups());
  return holdBack(good, new Map(good.map((source, index) => [source, numbers[index] as number])));
}

/**
 * Fits a detector on a category, chooses thresholds for it, and writes it to `out`. If the job is aborted or fails, a
 * file beside `out` keeps its state, and the same call continues from it. The result is bit for bit that of an
 * uninterrupted fit.
 *
 * Throws the errors of `Detector.fit`, and ERR_BUSY.
 */
export async function fit(options: FitJobOptions, context: JobContext = {}): Promise<FitResult> {
  const checked = checkOptions(fitSchema, options);
  const { detector: name, trainImages, checkpointEvery } = checked;
  const { signal, onEvent } = context;
  const out = resolve(checked.out);
  const source = defectSourceOf(DETECTORS[name], checked.defects, checked.pairs !== undefined);
  const dataset = await (takesDefects(source) ? Dataset.open(checked.data) : Dataset.openGood(checked.data));
  const { learned: good, heldBack } = await goodOf(dataset, source);
  const real = new Map<string, Example[]>();
  for (const type of dataset.types) real.set(type, await dataset.trainingExamples(type, trainImages));
  const generated = checked.pairs === undefined ? undefined : await openGenerated(checked.pairs, dataset.types);
  await using _lock = await lockFile(out);
  const images = thresholdImages({ row: { real: true }, training: real, generated }, good, heldBack, viewOf(checked));
  // An image that cannot be read is an error before the fit, not after it.
  for (const { load } of [...images.defects, ...images.good]) await load();
  const start = performance.now();
  await using detector = await Detector.fit(
    name,
    { good, real, generated: generated?.types },
    {
      ...pickGiven(checked, detectorOptions),
      ...{ checkpoint: `${out}.checkpoint.safetensors`, checkpointEvery, signal },
      onProgress: ({ step, steps, loss }) =>
        onEvent?.({
          ...{ event: 'progress', stage: 'fit', unit: 'steps', done: step, total: steps },
          ...(loss !== undefined && { loss }),
        }),
    },
  );
  const score = ({ image }: Photograph) => detector.scoreSeen(image, { signal });
  const { basis, thresholds } = await chooseThresholds(images, score, { signal });
  await detector.save(out, { thresholds });
  return {
    ...{ out, detector: name, good: good.length },
    ...{ real: countOf(real), generated: generated === undefined ? 0 : countOf(generated.types) },
    ...{ thresholds, chosenOn: basis },
    seconds: (performance.now() - start) / 1000,
  };
}
