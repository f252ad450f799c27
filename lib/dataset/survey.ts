/** Looks at all images of a dataset, each of which is decoded once. */
import pMap from 'p-map';
import { DualAnoDiffError } from '../core/errors.js';
import { AT_ONCE } from '../core/few-at-once.js';
import { type Defect, defectsIn, withoutSpecks } from './components.js';
import type { DatasetImage, Origin } from './dataset-images.js';
import { emptyMask, readMaskIn } from './example-file.js';
import { type Fingerprint, fingerprintOf } from './fingerprint.js';
import { scanImage } from './image-scan.js';
import { looksInverted } from './mask-file.js';
import { turnedSize } from './orientation.js';

/** The defects of one type in an image. */
export interface SurveyedDefects {
  type: string;
  /** The share of the image that the mask marks, 0 to 1. */
  coverage: number;
  defects: Defect[];
  /** True if the mask marks its whole border but not every pixel, so that the defect may be black on white. */
  mayBeInverted: boolean;
}

/** What a survey keeps of an image. */
export interface SurveyedImage {
  source: string;
  origin: Origin;
  /** True if the image has no defect. */
  isGood: boolean;
  /** The size in pixels, with the EXIF orientation applied. */
  width: number;
  height: number;
  /** The samples of the file, such as `8-bit grey`. */
  depth: string;
  /** EXIF orientation, 1 to 8. */
  orientation: number;
  fingerprint: Fingerprint;
  /** The defects by type, without the types whose masks cannot be used. */
  masks: SurveyedDefects[];
}

/** A file that cannot be used, with the error that a command that reads it would throw. */
export interface Problem {
  /** This is ERR_UNEXPECTED for errors that this package does not throw itself. */
  code: string;
  message: string;
}

/** Describes any error as a problem. */
export const problemOf = (error: unknown): Problem => ({
  code: error instanceof DualAnoDiffError ? error.code : 'ERR_UNEXPECTED',
  message: error instanceof Error ? error.message : String(error),
});

/** Looks at one image. `onProblem` gets what is wrong with it. Returns undefined if the image itself cannot be used. */
async function surveyOne(
  { image, source, origin, defects, pair }: DatasetImage,
  onProblem: (problem: Problem) => void,
): Promise<SurveyedImage | undefined> {
  try {
    const { stored, depth, picture } = await scanImage(image);
    const { orientation } = stored;
    const { width, height } = turnedSize(stored, orientation);
    const masks: SurveyedDefects[] = [];
    for (const { type, mask: from } of defects) {
      try {
        const mask = await readMaskIn(stored, from);
        const all = defectsIn(mask, 0);
        const coverage = all.reduce((sum, { area }) => sum + area, 0) / (width * height);
        const found = { type, coverage, defects: withoutSpecks(all), mayBeInverted: looksInverted(mask) };
        if (all.length > 0) masks.push(found);
        else if (pair === undefined) onProblem(problemOf(emptyMask(from)));
      } catch (error) {
        onProblem(problemOf(error));
      }
    }
    return {
      ...{ source, origin, isGood: defects.length === 0, width, height, masks, depth, orientation },
      fingerprint: await fingerprintOf(picture),
    };
  } catch (error) {
    onProblem(problemOf(error));
    return undefined;
  }
}

/** The result of a survey. The images are in the order of the dataset, and so are the problems. */
export interface Survey {
  images: SurveyedImage[];
  problems: Problem[];
}

/** Looks at all images. A few of them are in memory at a time. `onImage` is called after each and may throw. */
export async function surveyImages(
  images: readonly DatasetImage[],
  onImage: (done: number) => void = () => {},
): Promise<Survey> {
  const problems: Problem[][] = images.map(() => []);
  let done = 0;
  const surveyed = await pMap(
    images,
    async (image, index) => {
      const one = await surveyOne(image, (problem) => problems[index]?.push(problem));
      onImage(++done);
      return one;
    },
    { concurrency: AT_ONCE },
  );
  return { images: surveyed.filter((one) => one !== undefined), problems: problems.flat() };
}
