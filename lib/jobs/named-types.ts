import type { Dataset } from '../dataset/dataset.js';
import { requireTypes } from '../dataset/training-images.js';
import { checkValue } from '../options/check.js';
import { types } from '../options/training.js';

/**
 * Reads the names of types, with commas between them. `all` stands for every defect type, so that `all,good` is everything. A type whose name is the whole
 * text takes precedence. Throws ERR_DATASET_INVALID for a type that the dataset does not have, and ERR_INVALID_OPTION
 * for a name that is given twice.
 */
export async function typesIn(dataset: Dataset, names: string): Promise<string[]> {
  const whole = names.normalize('NFC');
  const split = whole
    .split(',')
    .flatMap((name) => (name === 'all' && !dataset.types.includes(name) ? dataset.types : [name]));
  const found = checkValue('type', types, dataset.types.includes(whole) ? [whole] : [...split]);
  await requireTypes(dataset, found);
  return found;
}
