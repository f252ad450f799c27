/** Prepares everything that the engine needs of a dataset to train an adapter. */
import { setImmediate } from 'node:timers/promises';
import type { NativeTrainingRegion, NativeTrainingRegions } from '../addon-types.js';
import type { Dataset } from '../dataset/dataset.js';
import { clearerFill } from '../dataset/part-fill.js';
import { loadTrainingImages, type TrainingImages } from '../dataset/training-images.js';
import { digestOf, squareOf, type TrainingImage, type TrainingRegion } from '../dataset/training-region.js';
import { getEngine } from '../native.js';
import { given } from '../options/check.js';
import { callNative } from '../run-native.js';
import type { TrainedExample } from './adapter-lists.js';
import { foregroundFinder, foregroundName, withForegroundSource } from './foreground.js';
import { metadataOf, type ResolvedTraining } from './training-settings.js';
import { promptsOfTypes, type TypePrompts } from './type-prompts.js';

/** What a trainer keeps of its images after the engine has got them. */
export interface TrainingInputs {
  /** The settings with what was decided by the images: `window` and `partFill`. */
  settings: ResolvedTraining;
  /** The prompts of each type. */
  prompts: TypePrompts[];
  /** Squares that show the training images. */
  squares: TrainingImage[];
  /** The defects, as adapters store them. */
  examples: TrainedExample[];
  /** The settings, the prompts, the digest of all images, and the name of what found their foregrounds. */
  metadata: Record<string, string>;
  /** These sentences tell people what was decided. */
  notes: string[];
}

/** Translates a region for the engine. */
function nativeRegion({ type, pixels, maskPixels, foregroundPixels, middle }: TrainingRegion): NativeTrainingRegion {
  const { data: image, width, height } = pixels;
  const foreground = foregroundPixels && { foreground: foregroundPixels.data };
  return { image, mask: maskPixels.data, ...foreground, width, height, type, ...(middle && { centre: middle }) };
}

/** Gives the regions to the engine, which copies them. The event loop goes on between them. */
export async function nativeRegions(regions: readonly TrainingRegion[]): Promise<NativeTrainingRegions> {
  const engine = await getEngine();
  const native = callNative(() => engine.createRegions());
  try {
    for (const region of regions) {
      callNative(() => native.append(nativeRegion(region)));
      await setImmediate();
    }
  } catch (error) {
    native.dispose();
    throw error;
  }
  return native;
}

/**
 * Loads the images. Their foregrounds are part of them if the adapter compensates for backgrounds. With windows, they
 * also tell where on its object each defect is, unless there are no foregrounds to be found.
 */
function load(dataset: Dataset, settings: ResolvedTraining, device: string): Promise<TrainingImages> {
  const { background, window, foregroundMasks, foregroundWeights } = settings;
  const inRegions = background !== 'off';
  if (!inRegions && (window === 'off' || foregroundMasks === 'none')) return loadTrainingImages(dataset, settings);
  return withForegroundSource(given({ foregroundMasks, foregroundWeights }), device, (source) =>
    loadTrainingImages(dataset, settings, { find: foregroundFinder(source), inRegions }),
  );
}

/** Loads the images of a training and decides by them. Throws ERR_DATASET_INVALID and ERR_INVALID_OPTION. */
export async function trainingInputs(
  dataset: Dataset,
  settings: ResolvedTraining,
  device: string,
): Promise<{ inputs: TrainingInputs; regions: TrainingRegion[] }> {
  const {
    types,
    resolution,
    globalPrompt: global,
    anomalyPrompt: anomaly,
    foregroundMasks,
    foregroundWeights,
  } = settings;
  const { regions, window, notes } = await load(dataset, settings, device);
  const partFill = settings.partFill === 'auto' ? await clearerFill(regions) : settings.partFill;
  const squares: TrainingImage[] = [];
  for (const region of regions) squares.push(await squareOf(region, resolution));
  const decided = { ...settings, window, partFill };
  const prompts = promptsOfTypes({ global, anomaly }, dataset.category, types);
  const hasForegrounds = settings.background !== 'off';
  const inputs = {
    ...{ settings: decided, prompts, squares, notes },
    examples: regions.flatMap(({ type, centre }, region) => (centre ? [{ type, region, ...centre }] : [])),
    metadata: {
      ...metadataOf(decided, prompts),
      training_images: await digestOf(regions),
      ...(hasForegrounds && { _foreground: foregroundName(given({ foregroundMasks, foregroundWeights })) }),
    },
  };
  return { inputs, regions };
}
