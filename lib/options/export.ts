/** Declares the options of `export`. */
import { z } from 'zod';
import { oneOf, path, real } from './check.js';
import { exportFormats } from './names.js';
import { option } from './option.js';

export const exportOptions = {
  data: option(
    path('a folder or file'),
    'common',
    'Export the images of this category, or the pairs that run, sample or place has written to this folder.',
    { valueName: 'path' },
  ),
  pairs: option(path('a folder').optional(), 'common', 'Export the generated pairs in this folder as well.', {
    valueName: 'dir',
  }),
  format: option(
    oneOf(exportFormats),
    'common',
    "Write this format: COCO with run-length masks, YOLO's polygons, labelme, the folders of anomalib, or masks beside images.",
  ),
  out: option(path('a folder'), 'common', 'Write to this folder, which must be missing or empty.', {
    valueName: 'dir',
  }),
  split: option(
    oneOf(['real-generated']).optional(),
    'common',
    'Keep real and generated images apart, in folders or files of their own.',
    { fallback: 'all images are together' },
  ),
  polygonError: option(
    real(0, 100).default(0.5),
    'advanced',
    'Let polygons of yolo differ from the border of a mask by at most this many pixels.',
  ),
};
export const exportSchema = z.strictObject(exportOptions);
