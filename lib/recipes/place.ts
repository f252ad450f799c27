/** Makes pairs by drawing defects into good photographs. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { InvalidOptionError, withFileErrors } from '../core/errors.js';
import { fileDigest } from '../core/files.js';
import { imagesBelow, isFolder } from '../dataset/folders.js';
import type { MaskedPair } from '../dataset/generated-pair.js';
import { contentOf, type ImageSource, nameOf } from '../dataset/image-source.js';
import { readMissedDefects } from '../dataset/missed-defect.js';
import type { Adapter } from '../model/adapter.js';
import type { BaseModel } from '../model/base-model.js';
import { foregroundName } from '../model/foreground.js';
import { missedPlaces } from '../model/place/missed-places.js';
import { Placer } from '../model/placer.js';
import type { PlaceSettings } from '../options/generated.js';
import { placeOptions } from '../options/place.js';
import { type OpenRecipe, pickGiven } from './recipe.js';

const digestOf = (lines: readonly string[]): string =>
  createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16);

/** Returns the size of a photograph, because reading all of them for a digest would take minutes. */
async function bytesOf(source: ImageSource): Promise<number> {
  if (typeof source === 'string') return (await withFileErrors('read', source, () => stat(source))).size;
  const content = await contentOf(source);
  return 'channels' in content ? content.data.length : content.length;
}

/** Returns a text that changes with the masks of an option. Words, boxes and missing files are their own name. */
async function regionsName(given: string): Promise<string> {
  const path = resolve(given);
  const files = (await isFolder(path)) ? await imagesBelow(path) : existsSync(path) ? [path] : [];
  if (files.length === 0) return given;
  const lines: string[] = [];
  for (const file of files) lines.push(`${nameOf(file)} ${await fileDigest(file)}`);
  return `${basename(path)} ${digestOf(lines)}`;
}

/** Returns a text that changes with the missed defects of a type, and not with those of other types. */
async function missedName(file: string, type: string): Promise<string> {
  const places = missedPlaces(await readMissedDefects(file), type);
  return `${basename(file)} ${digestOf(places.map((place) => JSON.stringify(place)))}`;
}

/** Returns all settings that decide the pixels of the pairs. */
async function settingsOf(
  placer: Placer,
  options: PlaceSettings,
  model: BaseModel,
  photographs: readonly ImageSource[],
) {
  const { type, window, native, readsForeground } = placer.resolve(options);
  const { attention: _, width: resolution, height: __, ...deciding } = native;
  const { where = 'auto', whereNot, like, perPhotograph = 1, foregroundMasks } = options;
  const sizes = await Promise.all(photographs.map(bytesOf));
  const names = photographs.map((photograph, i) => `${nameOf(photograph)} ${sizes[i]}`);
  const foreground = foregroundMasks === undefined ? foregroundName(options) : await regionsName(foregroundMasks);
  return {
    ...{ resolution, window, ...deciding, perPhotograph, where: await regionsName(where), dtype: model.info.dtype },
    ...(whereNot !== undefined && { whereNot: await regionsName(whereNot) }),
    ...(like !== undefined && { like: await missedName(like, type) }),
    ...(readsForeground && { foreground }),
    // A list of all names would make every line of pairs.jsonl long.
    photographs: `${photographs.length} ${digestOf(names)}`,
  };
}

/**
 * Prepares pairs of an adapter that show its defects in `photographs`. The adapter is not needed after this call. Throws
 * ERR_INVALID_OPTION if there are no photographs.
 */
export async function openPlace(
  model: BaseModel,
  adapter: Adapter,
  options: PlaceSettings,
  photographs: readonly ImageSource[],
): Promise<OpenRecipe<MaskedPair>> {
  if (photographs.length === 0) throw new InvalidOptionError('Expected at least one photograph for onto');
  const settings = pickGiven(options, placeOptions);
  const placer = await Placer.create(model, adapter);
  try {
    return {
      source: {
        type: placer.resolve(settings).type,
        recipe: 'place',
        adapter: await adapter.digest(),
        settings: await settingsOf(placer, settings, model, photographs),
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
