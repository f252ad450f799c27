/** Chooses thresholds for use without the test images, and measures what they find on these. */
import type { NativeMapScorer } from '../addon-types.js';
import type { Example } from '../dataset/dataset.js';
import type { ImageSource } from '../dataset/image-source.js';
import type { Scored, View } from '../detect/scored.js';
import type { Photograph } from '../detect/tiles.js';
import { getEngine } from '../native.js';
import { callNative, type NativeTaskOptions, runNative } from '../run-native.js';
import type { PlannedRun } from './planned-runs.js';
import type { Row } from './rows.js';
import { type ByType, mean } from './scores.js';
import { GOOD } from './split.js';
import { defectToTest, goodToTest, type TestImage } from './test-images.js';

/**
 * Names the images that a threshold is chosen on. On generated pairs or training photographs, it is the one with the
 * best F1. On good images alone, it is the one that at most a hundredth of them, and of their pixels, reaches. Detectors
 * that learn from good images alone do not learn from those that are held back.
 */
export type ThresholdBasis =
  | 'generated pairs'
  | 'training photographs'
  | 'good images held back'
  | 'good training images';

/** What a run learns from. */
export interface ThresholdRun {
  row: Pick<Row, 'real'>;
  training: PlannedRun['training'];
  generated?: PlannedRun['generated'];
}

/** The images that thresholds are chosen on. The scores of test images play no part. */
export interface ThresholdImages {
  /** What the thresholds are chosen on if a mask of the defects marks a pixel, and what they are chosen on otherwise. */
  basis: ThresholdBasis;
  basisOfGood: ThresholdBasis;
  defects: TestImage[];
  good: TestImage[];
}

/** Scores of at least the thresholds are called defects. */
export interface ChosenThresholds {
  basis: ThresholdBasis;
  thresholds: { pixel: number; image: number };
}

/** 0 to 1 each. `precision` is null if nothing is called a defect, and `recall` is null if there is none. */
export interface Decisions {
  f1: number;
  precision: number | null;
  recall: number | null;
}
/** What a threshold finds, by pixels and by images. */
export interface DetectionDecisions {
  pixels: Decisions;
  images: Decisions;
}

/** What a detector finds on the test images at thresholds that were chosen without them. */
export interface ThresholdScores extends ByType<DetectionDecisions>, ChosenThresholds {}

/** No more defects, and no more good images, than this are scored to choose a threshold. */
const MAX_IMAGES = 100;
const SHARE_ABOVE = 0.01;

/** Returns at most MAX_IMAGES items, evenly spread over the list. */
function spread<T>(items: readonly T[]): T[] {
  const count = Math.min(items.length, MAX_IMAGES);
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)] as T);
}

/**
 * Returns the images on which the thresholds of a run are chosen: its pairs, its photographs, or good images alone. If
 * `heldBack` has images, they are the good ones, and otherwise these are `trainingGood`.
 */
export function thresholdImages(
  { row, training, generated }: ThresholdRun,
  trainingGood: readonly ImageSource[],
  heldBack: readonly ImageSource[],
  view: View,
): ThresholdImages {
  const made = [...training.keys()].flatMap((type) => generated?.types.get(type) ?? []);
  const real = row.real ? [...training.values()].flat() : [];
  const basisOfGood = heldBack.length > 0 ? 'good images held back' : 'good training images';
  const isGenerated = made.length > 0;
  const toTest = (example: Example) => defectToTest(example, view, 0);
  return {
    basis: isGenerated ? 'generated pairs' : real.length > 0 ? 'training photographs' : basisOfGood,
    basisOfGood,
    defects: spread(isGenerated ? made : real).map(toTest),
    good: spread(heldBack.length > 0 ? heldBack : trainingGood).map((source) => goodToTest(source, view, 0)),
  };
}

/** Scores an image with a detector and adds its map to a set of a scorer. */
export async function addToScorer(
  scorer: NativeMapScorer,
  set: string,
  { load, part }: TestImage,
  score: (photograph: Photograph) => Promise<Scored>,
  options: NativeTaskOptions,
): Promise<void> {
  const photograph = await load();
  const { width, height, data: mask } = photograph.mask;
  const { map: data, score: imageScore } = await score(photograph);
  const map = { data, shape: [height, width] };
  await runNative(options, (_, task) => scorer.add(set, map, mask, { part, score: imageScore }, task));
}

/**
 * Scores the images with a detector and returns the thresholds that they lead to. Defects whose mask marks no pixel are
 * left out, because no score can be right for them.
 */
export async function chooseThresholds(
  { basis, basisOfGood, defects, good }: ThresholdImages,
  score: (photograph: Photograph) => Promise<Scored>,
  options: NativeTaskOptions,
): Promise<ChosenThresholds> {
  const engine = await getEngine();
  const scorer = callNative(() => engine.createMapScorer());
  try {
    let marked = 0;
    for (const image of defects) {
      const photograph = await image.load();
      if (!photograph.mask.data.some((value) => value > 0)) continue;
      await addToScorer(scorer, basis, { ...image, load: async () => photograph }, score, options);
      marked++;
    }
    for (const image of good) await addToScorer(scorer, basis, image, score, options);
    const thresholds = await runNative(options, (_, task) =>
      marked > 0 ? scorer.bestThresholds([basis], task) : scorer.quantileThresholds([basis], SHARE_ABOVE, task),
    );
    return { basis: marked > 0 ? basis : basisOfGood, thresholds };
  } finally {
    scorer.dispose();
  }
}

function meanDecisions(all: readonly Decisions[]): Decisions {
  const known = (values: (number | null)[]) => values.filter((value) => value !== null);
  const meanOf = (values: number[]) => (values.length === 0 ? null : mean(values));
  return {
    f1: mean(all.map(({ f1 }) => f1)),
    precision: meanOf(known(all.map(({ precision }) => precision))),
    recall: meanOf(known(all.map(({ recall }) => recall))),
  };
}

/** Measures what the thresholds find among the maps that a scorer has collected. */
export async function decideRun(
  scorer: NativeMapScorer,
  types: readonly string[],
  thresholds: { pixel: number; image: number },
  options: NativeTaskOptions,
): Promise<ByType<DetectionDecisions>> {
  const orNull = (value: number) => (Number.isNaN(value) ? null : value);
  const decide = async (sets: readonly string[]): Promise<DetectionDecisions> => {
    const { pixels, images } = await runNative(options, (_, task) => scorer.decide(sets, thresholds, task));
    const checked = ({ f1, precision, recall }: typeof pixels) => ({
      ...{ f1, precision: orNull(precision), recall: orNull(recall) },
    });
    return { pixels: checked(pixels), images: checked(images) };
  };
  const byType: Record<string, DetectionDecisions> = {};
  for (const type of types) byType[type] = await decide([type, GOOD]);
  const all = Object.values(byType);
  return {
    types: byType,
    average: {
      pixels: meanDecisions(all.map(({ pixels }) => pixels)),
      images: meanDecisions(all.map(({ images }) => images)),
    },
    together: await decide([...types, GOOD]),
  };
}
