/**
 * Makes pairs without a model: real defects are cut out, moved and pasted onto good photographs, with varied light and
 * exposure. A model is only worth its time if it beats this baseline.
 */
import { type Dataset, type Example, requireDataset } from '../dataset/dataset.js';
import type { MaskedPair } from '../dataset/generated-pair.js';
import type { ImageSource } from '../dataset/image-source.js';
import type { Pair } from '../dataset/pair.js';
import { augmentSchema } from '../options/augment.js';
import { checkOptions, given, taskShape } from '../options/check.js';
import type { AugmentSettings } from '../options/generated.js';
import type { Fit } from '../options/names.js';
import { stableDiffusion } from '../options/stable-diffusion.js';
import { Augmenter } from './augmenter.js';
import type { OpenRecipe } from './recipe.js';

/** Holds the options of {@link augment}. */
export type AugmentOptions = AugmentSettings & { signal?: AbortSignal };

const optionsSchema = augmentSchema.extend(taskShape);

/** Prepares pairs of one type. Throws ERR_DATASET_INVALID with the image or mask that cannot be used. */
export async function openAugment(
  type: string,
  examples: readonly Example[],
  goodImages: readonly ImageSource[],
  {
    resolution = stableDiffusion.training.resolution,
    fit,
    window,
    seed,
  }: { resolution?: number | undefined; fit: Fit; window?: number | undefined; seed: number },
): Promise<OpenRecipe<MaskedPair>> {
  const settings = { resolution, fit, ...given({ window }), seed };
  const augmenter = await Augmenter.create(examples, goodImages, settings);
  const { partFill, digest } = augmenter;
  return {
    source: {
      type,
      recipe: 'augment',
      settings: { ...settings, partFill, examples: examples.map(({ name }) => name), images: digest },
    },
    pairs: (request) => withExactMasks(augmenter.pairs(request)),
    [Symbol.asyncDispose]: () => augmenter.dispose(),
  };
}

async function* withExactMasks(pairs: AsyncIterable<Pair>): AsyncGenerator<MaskedPair, void, undefined> {
  // The engine places each defect itself, so that it knows the exact mask.
  for await (const pair of pairs) yield { ...(pair as MaskedPair), maskMethod: 'exact', touches: true };
}

/**
 * Makes pairs 0 to `count` - 1 of a seed from the real defects and the good photographs of a dataset, without a model.
 * Their masks are exact. The images are squares of `resolution` pixels, 512 by default.
 *
 * Throws ERR_DATASET_INVALID with the image or mask that cannot be used, or if there are no good images,
 * ERR_INVALID_OPTION, and ERR_ABORTED.
 *
 * @example
 * for await (const pair of augment(dataset, { type: 'crack', count: 100 })) await pair.image.toSharp().toFile(`${pair.index}.png`);
 */
export async function* augment(dataset: Dataset, options: AugmentOptions): AsyncGenerator<MaskedPair, void, undefined> {
  const { signal: abort, type, count, trainImages, ...settings } = checkOptions(optionsSchema, options);
  requireDataset(dataset);
  await using recipe = await openAugment(
    type,
    await dataset.trainingExamples(type, trainImages),
    await dataset.goodImages(),
    settings,
  );
  yield* recipe.pairs({ count, skip: new Set(), signal: abort });
}
