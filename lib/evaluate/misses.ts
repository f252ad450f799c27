/** Lists what each detector got wrong at its thresholds: the defects that it missed, and its false alarms. */
import { relative, sep } from 'node:path';
import { type ImageSource, labelOf } from '../dataset/image-source.js';
import type { FalseAlarm, Miss } from '../dataset/missed-defect.js';
import { goodNameOf } from '../detect/squares.js';
import type { Evaluation, EvaluationRun } from './evaluation.js';
import { GOOD, type Split } from './split.js';
import type { TestedDefect } from './tested-defects.js';
import type { TestedGood, TestedImage } from './tested-images.js';

/** What all runs got wrong: run by run, and the scores that are farthest from their threshold first. */
export interface Mistakes {
  misses: Miss[];
  falseAlarms: FalseAlarm[];
}

/** What a run decides by. Maps, and results of an earlier version, have no thresholds. */
interface Decider {
  thresholds?: EvaluationRun['thresholds'] | undefined;
}

/** Returns the same text for the same test image. */
const keyOf = (type: string, name: string) => JSON.stringify([type, name]);

/** Returns the sources of the test images by {@link keyOf}. */
function sourcesOf({ testing, testingGood }: Split): Map<string, ImageSource> {
  const defects = [...testing].flatMap(([type, examples]) =>
    examples.map(({ name, image }) => [keyOf(type, name), image] as const),
  );
  return new Map([...defects, ...testingGood.map((image) => [keyOf(GOOD, goodNameOf(image)), image] as const)]);
}

/** Returns the path of a file relative to a folder, with slashes. An image in memory has its name in messages. */
const pathFrom = (folder: string, source: ImageSource): string =>
  typeof source === 'string' ? relative(folder, source).split(sep).join('/') : labelOf(source);

/** A tested image whose defects are recorded. */
type RecordedImage = TestedImage & Required<Pick<TestedImage, 'photograph'>>;
type RecordedGood = TestedGood & Required<Pick<TestedGood, 'imageScore'>>;

/** Returns the images of a run whose defects are recorded. Maps and results of an earlier version have none. */
export const recordedImages = ({ images }: Pick<EvaluationRun, 'images'>): RecordedImage[] =>
  images.filter((image): image is RecordedImage => image.photograph !== undefined);

/** Returns true for a run whose mistakes are known. */
export const isDecided = (run: Decider & Pick<EvaluationRun, 'images'>): boolean =>
  run.thresholds !== undefined && recordedImages(run).length > 0;

/** A missed defect, and the tested image that shows it. */
interface MissedInImage {
  image: RecordedImage;
  defect: TestedDefect;
}

/** Returns the defects that a run missed. A run without thresholds decides nothing, so that it misses none. */
export function missedIn({ thresholds, images }: Decider & Pick<EvaluationRun, 'images'>): MissedInImage[] {
  if (thresholds === undefined) return [];
  return recordedImages({ images }).flatMap((image) =>
    image.photograph.defects
      .filter(({ score }) => score < thresholds.thresholds.pixel)
      .map((defect) => ({ image, defect })),
  );
}

/** Returns the good images that a run called defects. */
export function falselyAlarmed({ thresholds, good }: Decider & Pick<EvaluationRun, 'good'>): RecordedGood[] {
  if (thresholds === undefined) return [];
  const recorded = good.filter((image): image is RecordedGood => image.imageScore !== undefined);
  return recorded.filter(({ imageScore }) => imageScore >= thresholds.thresholds.image);
}

const labelsOf = ({ row, detector, seed, shots }: EvaluationRun) => ({
  ...{ row, detector, seed },
  ...(shots !== undefined && { shots }),
});

/**
 * Lists the mistakes of all runs that have thresholds. A defect is missed if none of its pixels reaches the threshold of
 * pixels. A good image is a false alarm if its score reaches the threshold of images. Paths are relative to `folder`.
 */
export function mistakesOf(split: Split, { runs }: Pick<Evaluation, 'runs'>, folder: string): Mistakes {
  const sources = sourcesOf(split);
  const pathOf = (type: string, name: string) => pathFrom(folder, sources.get(keyOf(type, name)) as ImageSource);
  const missesIn = (run: EvaluationRun): Miss[] =>
    missedIn(run).map(({ image: { type, name, photograph }, defect }) => ({
      ...{ ...labelsOf(run), type, image: pathOf(type, name) },
      photograph: { width: photograph.width, height: photograph.height },
      ...{ box: defect.box, area: defect.area, score: defect.score },
      threshold: run.thresholds?.thresholds.pixel as number,
    }));
  const falseAlarmsIn = (run: EvaluationRun): FalseAlarm[] =>
    falselyAlarmed(run).map(({ name, imageScore }) => ({
      ...{ ...labelsOf(run), image: pathOf(GOOD, name), score: imageScore },
      threshold: run.thresholds?.thresholds.image as number,
    }));
  return {
    misses: runs.flatMap((run) => missesIn(run).sort((a, b) => a.score - b.score)),
    falseAlarms: runs.flatMap((run) => falseAlarmsIn(run).sort((a, b) => b.score - a.score)),
  };
}
