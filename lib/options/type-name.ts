/** The name of a defect type, which is the name of a folder wherever types are read or written. */
import { z } from 'zod';

/** What file systems take for one name, in bytes of UTF-8. */
const MAX_BYTES = 255;
/** The folder of images without a defect, beside the types'. */
const GOOD = 'good';

const EXPECTED =
  "the name of a defect type (one folder's name: no /, \\ or control character, no dot in front, at most 255 bytes, not good)";

/**
 * Whether `name` is one safe segment of a path that a type may have: it leads nowhere else, is not hidden, and is not the
 * folder of good images.
 */
export function isTypeName(name: string): boolean {
  if (name === '' || name === GOOD || name.startsWith('.')) return false;
  if (/[/\\\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)) return false;
  return name.trim() === name && Buffer.byteLength(name.normalize('NFC')) <= MAX_BYTES;
}

/** A type's name, in NFC. Names of folders and options compare equal once both went through it. */
export const typeName = () => z.string(EXPECTED).refine(isTypeName, EXPECTED).normalize('NFC');
