/** Checks the name of a defect type, which is the name of a folder in every dataset. */
import { z } from 'zod';

/** File systems limit a name to this number of bytes in UTF-8. */
const MAX_BYTES = 255;
/** This folder holds images without a defect, beside the folders of types. */
const GOOD = 'good';

const EXPECTED =
  "the name of a defect type (one folder's name: no /, \\ or control character, no dot in front, at most 255 bytes, not good)";

/**
 * Returns true if `name` is one safe segment of a path: it leads to no other folder, is not hidden, and is not the
 * folder of good images.
 */
export function isTypeName(name: string): boolean {
  if (name === '' || name === GOOD || name.startsWith('.')) return false;
  if (/[/\\\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)) return false;
  return name.trim() === name && Buffer.byteLength(name.normalize('NFC')) <= MAX_BYTES;
}

/** Returns the schema of a type's name, which it converts to NFC so that names of folders and options compare equal. */
export const typeName = () => z.string(EXPECTED).refine(isTypeName, EXPECTED).normalize('NFC');
