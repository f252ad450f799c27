/** Tells which good images of an export are kept for tests. */
import { z } from 'zod';
import type { Purpose } from './contents.js';
import { readFileList } from './file-records.js';

const partSchema = z.object({ synthetic: z.boolean(), part: z.enum(['train', 'test']) });

/** Returns the part that an entry of an export names for a good image, or undefined if it names none. */
export const partIn = (entry: unknown): Purpose | undefined => partSchema.safeParse(entry).data?.part;

/**
 * Reads the parts of the good images of an export by their paths below its folder, in NFC. Formats that keep all images
 * together have no other place for them. Throws ERR_FILE_ACCESS with the line that cannot be used.
 */
export async function readParts(folder: string): Promise<ReadonlyMap<string, Purpose>> {
  const parts = new Map<string, Purpose>();
  for (const line of await readFileList(folder)) {
    const part = partIn(line);
    if (part) parts.set(line.image.normalize('NFC'), part);
  }
  return parts;
}
