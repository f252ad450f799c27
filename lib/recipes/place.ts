/** Makes pairs by drawing defects into good photographs. */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { InvalidOptionError } from '../core/errors.js';
import type { MaskedPair } from '../dataset/generated-pair.js';
import { type ImageSource, nameOf } from '../dataset/image-source.js';
import { Adapter } from '../model/adapter.js';
import type { BaseModel } from '../model/base-model.js';
import { foregroundName } from '../model/foreground.js';
import { Placer } from '../model/placer.js';
import type { PlaceSettings } from '../options/generated.js';
import { placeOptions } from '../options/place.js';
import { type OpenRecipe, pickGiven } from './recipe.js';

/** Returns all settings that decide the pixels of the pairs. */
function settingsOf(placer: Placer, options: PlaceSettings, model: BaseModel, photographs: readonly ImageSource[]) {
  const { window, native, readsForeground } = placer.resolve(options);
  const { attention: _, width: resolution, height: __, ...deciding } = native;
  const { where = 'auto', whereNot, perPhotograph = 1 } = options;
  const names = photographs.map(nameOf).join('\n');
  return {
    ...{ resolution, window, ...deciding, perPhotograph, where: basename(where), dtype: model.info.dtype },
    ...(whereNot !== undefined && { whereNot: basename(whereNot) }),
    ...(readsForeground && { foreground: foregroundName(options) }),
    // A list of all names would make every line of pairs.jsonl long.
    photographs: `${photographs.length} ${createHash('sha256').update(names).digest('hex').slice(0, 16)}`,
  };
}

/** Prepares pairs of an adapter that show its defects in `photographs`. Throws ERR_INVALID_OPTION if there are none. */
export async function openPlace(
  model: BaseModel,
  adapterFile: string,
  options: PlaceSettings,
  photographs: readonly ImageSource[],
): Promise<OpenRecipe<MaskedPair>> {
  if (photographs.length === 0) throw new InvalidOptionError('Expected at least one photograph for onto');
  const settings = pickGiven(options, placeOptions);
  await using adapter = await Adapter.load(adapterFile);
  const placer = await Placer.create(model, adapter);
  try {
    return {
      source: {
        type: placer.resolve(settings).type,
        recipe: 'place',
        adapter: await adapter.digest(),
        settings: settingsOf(placer, settings, model, photographs),
      },
      pairs: ({ count, skip, signal }) =>
        placer.place({ ...settings, onto: photographs, count, skip, ...(signal && { signal }) }),
      [Symbol.asyncDispose]: () => placer.dispose(),
    };
  } catch (error) {
    await placer.dispose();
    throw error;
  }
}
