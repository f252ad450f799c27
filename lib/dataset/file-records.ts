/** What datasets say about images that were generated. */
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonLines } from '../core/json-files.js';
import { PAIR_LIST, readPairList } from './pair-list.js';

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
 * Reads the records of generated images by their paths below a folder, with `/`. They stand in the list of an export or
 * import, or in that of generated pairs. There are none without a list. Throws ERR_FILE_ACCESS with the line that cannot
 * be used.
 */
export async function readFileRecords(folder: string): Promise<ReadonlyMap<string, FileRecord>> {
  const pairs = await readPairList(join(folder, PAIR_LIST));
  const records = new Map<string, FileRecord>(pairs.records.map((pair) => [pair.image, { synthetic: true, pair }]));
  const { lines } = await readJsonLines(join(folder, FILE_LIST), lineSchema);
  for (const { value } of lines) {
    const { data } = listedSchema.safeParse(value);
    if (data) records.set(data.image, recordIn(data).record as FileRecord);
  }
  return records;
}
