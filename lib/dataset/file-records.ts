/** What datasets say about images that were generated. */
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonLines } from '../core/json-files.js';

/** In the folder of an export or import, this file says which images are synthetic. */
export const FILE_LIST = 'files.jsonl';

/** What is known about a generated image. */
export interface FileRecord {
  synthetic: true;
  /** The record of the pair that the image belongs to, as the program that made it wrote it. */
  pair?: object;
}

/** Other programs may list other things in a file of this name. */
const lineSchema = z.looseObject({}, 'expected an object');
const recordSchema = z.object({ synthetic: z.literal(true), pair: z.looseObject({}).optional().catch(undefined) });
const listedSchema = recordSchema.extend({ image: z.string() });

/** Returns the record in an entry of an annotation, or nothing if the entry does not call its image synthetic. */
export function recordIn(entry: unknown): { record?: FileRecord } {
  const { data } = recordSchema.safeParse(entry);
  return data ? { record: { synthetic: true, ...(data.pair && { pair: data.pair }) } } : {};
}

/**
 * Reads the records of generated images by their paths below a folder, with `/`. There are none without a list. Throws
 * ERR_FILE_ACCESS with the line that is not JSON.
 */
export async function readFileRecords(folder: string): Promise<ReadonlyMap<string, FileRecord>> {
  const { lines } = await readJsonLines(join(folder, FILE_LIST), lineSchema);
  const records = new Map<string, FileRecord>();
  for (const { value } of lines) {
    const { data } = listedSchema.safeParse(value);
    if (data) records.set(data.image, recordIn(data).record as FileRecord);
  }
  return records;
}
