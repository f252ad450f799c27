import { z } from 'zod';
import { InvalidOptionError } from '../core/errors.js';
import type { GeneratedPair } from '../dataset/generated-pair.js';
import { checkOptions, checkValue, given } from '../options/check.js';
import type { MaskSettings } from '../options/generated.js';
import { maskSettingsSchema } from '../options/masks.js';
import type { Adapter } from './adapter.js';
import type { BaseModel } from './base-model.js';
import { PairMasker } from './pair-masker.js';
import { type SampleOptions, Sampler } from './sampler.js';

/** Holds the options of {@link DualAnoDiff.generate}. */
export interface GenerateOptions extends Omit<SampleOptions, 'attention'>, MaskSettings {
  /** Only the paper's recipe samples from an adapter. The recipe `augment` needs no model: see {@link augment}. */
  recipe?: 'noise';
}

/** Samples pairs from an adapter and finds their masks. */
export async function* generatePairs(
  model: BaseModel,
  adapter: Adapter | string,
  options: GenerateOptions,
): AsyncGenerator<GeneratedPair, void, undefined> {
  checkValue('options', z.looseObject({}, 'an object'), options);
  const { recipe = 'noise', mask, maskWeights, maskThreshold, ...sampling } = options;
  if (recipe !== 'noise') throw unknownRecipe(recipe);
  const masks = checkOptions(maskSettingsSchema, given({ mask, maskWeights, maskThreshold }));
  await using sampler = await Sampler.create(model, adapter);
  const { partFill } = sampler.adapter;
  await using masker = await PairMasker.create(masks, { partFill, device: model.info.device });
  const attention = masks.mask.includes('attention');
  for await (const pair of sampler.sample({ ...sampling, attention })) {
    yield { ...pair, ...(await masker?.find(pair, sampling.signal)) };
  }
}

function unknownRecipe(recipe: string): InvalidOptionError {
  const advice = recipe === 'augment' ? ': augment() makes these pairs, without a model' : '';
  return new InvalidOptionError(`Expected noise for recipe but received ${JSON.stringify(recipe)}${advice}`);
}
