/** Checks the name of a defect type, which is the name of a folder in every dataset. */
import { z } from 'zod';

/** File systems limit a name to this number of bytes in UTF-8. */
const MAX_BYTES = 255;
/** This folder holds images without a defect, beside the folders of types. Adapters can learn them as one more type. */
export const GOOD_TYPE = 'good';

const FOLDER_NAME = "one folder's name: no /, \\ or control character, no dot in front, at most 255 bytes";
const EXPECTED = `the name of a defect type (${FOLDER_NAME}, not good)`;
const EXPECTED_LEARNED = `good or the name of a defect type (${FOLDER_NAME})`;

/**
 * Returns true if `name` is one safe segment of a path: it leads to no other folder, is not hidden, and is not the
 * folder of good images.
 */
export function isTypeName(name: string): boolean {
  if (name === '' || name === GOOD_TYPE || name.startsWith('.')) return false;
  if (/[/\\\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)) return false;
  return name.trim() === name && Buffer.byteLength(name.normalize('NFC')) <= MAX_BYTES;
}

/** Returns the schema of a type's name, which it converts to NFC so that names of folders and options compare equal. */
export const typeName = () => z.string(EXPECTED).refine(isTypeName, EXPECTED).normalize('NFC');

/** Returns the schema of a type that an adapter can learn, which may be `good`. */
export const learnedTypeName = () =>
  z
    .string(EXPECTED_LEARNED)
    .refine((name) => name === GOOD_TYPE || isTypeName(name), EXPECTED_LEARNED)
    .normalize('NFC');
