/** The lines of the tables that sum up the types. */
import { DatasetError } from '../core/errors.js';

/** The mean of the types. */
export const AVERAGE = 'average';
/** The images of all types together. */
export const TOGETHER = 'together';

/** Throws ERR_DATASET_INVALID for a type with the name of a summary, because tables could not tell them apart. */
export function refuseSummaryNames(types: readonly string[], label: string): void {
  const reserved = types.find((type) => type === AVERAGE || type === TOGETHER);
  if (reserved === undefined) return;
  throw new DatasetError(
    `${label} has a defect type called ${reserved}, which is the name of a summary in the tables: rename it`,
  );
}
