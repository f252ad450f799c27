/** Loads everything that training takes of a dataset. */
import { DatasetError, InvalidOptionError } from '../core/errors.js';
import type { Fit } from '../options/names.js';
import { GOOD_TYPE } from '../options/type-name.js';
import type { Size } from './cut.js';
import { Dataset, type FindForeground } from './dataset.js';
import type { Example } from './example-file.js';
import { loadGoodRegions, loadGoodSquares } from './good-regions.js';
import type { ImageSource } from './image-source.js';
import { type Foregrounds, loadRegions, type SurveyedExample, surveyExamples } from './regions.js';
import type { TrainingRegion } from './training-region.js';
import { decideWindow, MAX_MIRRORED, type WindowDecision } from './window-size.js';

/** The settings that decide which images train, and how. */
export interface TrainingImageOptions {
  /** The types that the adapter learns. `good` stands for photographs without a defect. */
  types: readonly string[];
  trainImages: number | string;
  resolution: number;
  fit: Fit;
  /** The pixels of a photograph along each side of a window. `off` stands for whole images. */
  window: 'auto' | 'off' | number;
}

/** The images of a training. */
export interface TrainingImages {
  regions: TrainingRegion[];
  window: 'off' | number;
  /** These sentences tell people what was decided. */
  notes: string[];
}

/** The images of the types, each with the place of its type in the list of types. */
interface Sources {
  examples: { type: number; examples: Example[] }[];
  good: { type: number; images: ImageSource[] } | undefined;
}

/**
 * Throws ERR_DATASET_INVALID for a type that the dataset does not have, and for `good` without good photographs. Throws
 * ERR_INVALID_OPTION if `good` is the only type, because there would be no defect to learn.
 */
export async function requireTypes(dataset: Dataset, types: readonly string[]): Promise<void> {
  for (const type of types) if (type !== GOOD_TYPE) await dataset.examples(type);
  if (!types.includes(GOOD_TYPE)) return;
  if (types.length === 1) {
    throw new InvalidOptionError(
      `Expected a defect type beside ${GOOD_TYPE} for types, as in crack,good: an adapter learns defects`,
    );
  }
  if ((await dataset.goodImages()).length > 0) return;
  throw new DatasetError(
    `${dataset.label} has no good images, which the type ${GOOD_TYPE} learns from: expected them in ${dataset.goodPlace()}`,
  );
}

async function sourcesOf(dataset: Dataset, { types, trainImages }: TrainingImageOptions): Promise<Sources> {
  await requireTypes(dataset, types);
  const examples: Sources['examples'] = [];
  for (const [type, name] of types.entries()) {
    if (name === GOOD_TYPE) continue;
    examples.push({ type, examples: await dataset.trainingExamples(name, trainImages) });
  }
  const type = types.indexOf(GOOD_TYPE);
  return { examples, good: type < 0 ? undefined : { type, images: await dataset.goodImages() } };
}

/** Returns whole images as squares. */
async function loadSquares(
  { examples, good }: Sources,
  { resolution, fit }: TrainingImageOptions,
  find: FindForeground | undefined,
): Promise<TrainingRegion[]> {
  const regions: TrainingRegion[] = [];
  for (const { type, examples: own } of examples) {
    for (const { image: _, mask: __, ...square } of await Dataset.load(own, resolution, fit, find)) {
      regions.push({ ...square, type });
    }
  }
  if (good) regions.push(...(await loadGoodSquares(good.images, good.type, resolution, fit, find)));
  return regions;
}

async function survey({ examples }: Sources): Promise<SurveyedExample[]> {
  const surveyed: SurveyedExample[] = [];
  for (const { type, examples: own } of examples) surveyed.push(...(await surveyExamples(own, type)));
  return surveyed;
}

/** Decides between whole images and windows by the sizes of photographs and defects. Neither list may be empty. */
export function decideFor(
  surveyed: readonly Pick<SurveyedExample, 'width' | 'height' | 'defects'>[],
  resolution: number,
): WindowDecision {
  const defects = surveyed.flatMap((one) => one.defects);
  return decideWindow(
    surveyed,
    defects.map(({ box, area }) => ({ extent: Math.max(box.width, box.height), area })),
    resolution,
  );
}

/** Throws ERR_INVALID_OPTION for windows of a given size with stretched images, because windows keep the shape. */
export function requireCrop(window: TrainingImageOptions['window'], fit: Fit): void {
  if (fit !== 'stretch' || typeof window !== 'number') return;
  throw new InvalidOptionError('Expected crop for fit with windows but received stretch: windows keep the shape');
}

/** Throws ERR_INVALID_OPTION for a window that would show almost nothing but mirror images of the photographs. */
export function requireWindow(window: number, surveyed: readonly Size[]): void {
  const longest = Math.max(...surveyed.map(({ width, height }) => Math.max(width, height)));
  if (window <= MAX_MIRRORED * longest) return;
  throw new InvalidOptionError(
    `Expected at most ${MAX_MIRRORED * longest} for window but received ${window}: no photograph has more than ${longest} pixels along a side`,
  );
}

/**
 * Loads the images of the types: whole images as squares, or regions for windows, with what `foregrounds` are for.
 * Throws ERR_DATASET_INVALID with the file and the reason, and the errors of `requireTypes`.
 */
export async function loadTrainingImages(
  dataset: Dataset,
  options: TrainingImageOptions,
  foregrounds?: Foregrounds,
): Promise<TrainingImages> {
  const { resolution, fit } = options;
  const sources = await sourcesOf(dataset, options);
  const findForeground = foregrounds?.inRegions ? foregrounds.find : undefined;
  const whole = async (notes: string[] = []): Promise<TrainingImages> => ({
    regions: await loadSquares(sources, options, findForeground),
    window: 'off',
    notes,
  });
  if (options.window === 'off') return whole();
  requireCrop(options.window, fit);
  if (fit === 'stretch') return whole(); // Whoever stretches images wants whole ones.
  const surveyed = await survey(sources);
  const { window, reason } =
    options.window === 'auto' ? decideFor(surveyed, resolution) : { window: options.window, reason: undefined };
  const notes = reason === undefined ? [] : [reason];
  if (window === 'off') return whole(notes);
  requireWindow(window, surveyed);
  const scale = { window, resolution };
  const { regions, left } = await loadRegions(surveyed, scale, foregrounds);
  if (left > 0) notes.push(`${regions.length} of ${regions.length + left} defects or pieces of defects train`);
  const small = surveyed.filter(({ width, height }) => Math.min(width, height) < window);
  if (small.length > 0) {
    notes.push(`${small.length} of ${surveyed.length} photographs are smaller than a window: their border is mirrored`);
  }
  if (sources.good) {
    regions.push(...(await loadGoodRegions(sources.good.images, sources.good.type, scale, findForeground)));
  }
  return { regions, window, notes };
}
