/** Declares the options of placing defects in photographs. */
import { z } from 'zod';
import { above, integer, path } from './check.js';
import { option, pick } from './option.js';
import { count, samplingOptions } from './sampling.js';
import { foregroundOptions, windowSide } from './training.js';
import { typeName } from './type-name.js';

export const placeOptions = {
  count,
  type: option(typeName().optional(), 'common', 'Place defects of this type of the adapter.', {
    valueName: 'name',
    fallback: "the adapter's, if it has one",
  }),
  where: option(
    path('auto, a folder of masks, a mask, or x,y,width,height').default('auto'),
    'common',
    'Place each defect here: in the region of a mask, from a folder with masks named like the photographs or from one file, or in a box x,y,width,height in pixels. auto takes places like those of the training defects.',
    { valueName: 'place' },
  ),
  like: option(
    path('the misses.jsonl of an evaluation').optional(),
    'common',
    'Place defects like those that a detector missed, which an evaluation lists in misses.jsonl: of their types, about as large, and near the same place of the photograph. Without a type, each type gets count pairs in <out>/<type>/dataset.',
    { valueName: 'file', fallback: 'like the training defects' },
  ),
  whereNot: option(
    path('a folder of masks, a mask, or x,y,width,height').optional(),
    'common',
    'Place no defect in these regions: of the masks in a folder or of one mask, as for where, or in a box x,y,width,height in pixels.',
    { valueName: 'place', fallback: 'none' },
  ),
  perPhotograph: option(
    integer(1, 100).default(1),
    'advanced',
    'Place this many defects in each photograph, so that a pair shows several. Needs the place auto.',
  ),
  strength: option(
    above(0, 1).optional(),
    'advanced',
    'Start from a training defect in its new place with this share of noise. A larger share changes it more, and 1 starts from noise alone.',
    { fallback: '0.75, or 1 if the adapter stores no training defects' },
  ),
  window: option(
    windowSide().optional(),
    'advanced',
    'Draw in windows with this many pixels of the photograph along each side. Only adapters that do not store their scale need it.',
    { fallback: "the adapter's" },
  ),
  ...foregroundOptions,
  ...pick(samplingOptions, ['steps', 'guidanceScale', 'scheduler', 'seed', 'batchSize']),
};
export const placeSchema = z.strictObject(placeOptions);
