/** What datasets say about images that were generated. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { withFileErrors } from '../core/errors.js';
import { readJsonLines } from '../core/json-files.js';
import { warn } from '../core/warnings.js';
import { PAIR_LIST, readPairList } from './pair-list.js';

/** In the folder of an export or import, this file says which images are synthetic. */
export const FILE_LIST = 'files.jsonl';

/** What is known about a generated image. */
export interface FileRecord {
  synthetic: true;
  /** The record of the pair that the image belongs to, as the program that made it wrote it. */
  pair?: object;
}

const recordSchema = z.object({ synthetic: z.literal(true), pair: z.looseObject({}).optional().catch(undefined) });
const lineSchema = z.looseObject(
  { image: z.string('expected a path'), synthetic: z.boolean('expected true or false') },
  'expected an object',
);

/** Other programs may list other things in a file of this name. A list is ours if any of its lines is. */
async function isOurs(file: string): Promise<boolean> {
  const text = await withFileErrors('read', file, () => readFile(file, 'utf8'));
  return text.split('\n').some((line) => {
    try {
      return lineSchema.safeParse(JSON.parse(line)).success;
    } catch {
      return false;
    }
  });
}

/** Returns the record in an entry of an annotation, or nothing if the entry does not call its image synthetic. */
export function recordIn(entry: unknown): { record?: FileRecord } {
  const { data } = recordSchema.safeParse(entry);
  return data ? { record: { synthetic: true, ...(data.pair && { pair: data.pair }) } } : {};
}

/**
 * Reads the list of an export or import in a folder. A missing list has no lines. That of another program is left out with
 * a warning. Throws ERR_FILE_ACCESS with the line that cannot be used.
 */
export async function readFileList(folder: string): Promise<z.output<typeof lineSchema>[]> {
  const list = join(folder, FILE_LIST);
  if (!(await stat(list).catch(() => undefined))?.isFile()) return [];
  if (!(await isOurs(list))) {
    warn(`${list} is not a list of dataset files that this program wrote, so it is not read`);
    return [];
  }
  return (await readJsonLines(list, lineSchema)).lines.map(({ value }) => value);
}

/**
 * Reads the records of generated images by their paths below a folder, with `/`. They stand in the list of an export or
 * import, or in that of generated pairs. There are none without a list. A list of another program is left out with a
 * warning. Throws ERR_FILE_ACCESS with the line that cannot be used.
 */
export async function readFileRecords(folder: string): Promise<ReadonlyMap<string, FileRecord>> {
  const pairs = await readPairList(join(folder, PAIR_LIST));
  const records = new Map<string, FileRecord>(pairs.records.map((pair) => [pair.image, { synthetic: true, pair }]));
  for (const line of await readFileList(folder)) {
    const { record } = recordIn(line);
    if (record) records.set(line.image, record);
  }
  return records;
}
