/** The name of a defect type, which is the name of a folder wherever types are read or written. */
import { z } from 'zod';
/**
 * Whether `name` is one safe segment of a path that a type may have: it leads nowhere else, is not hidden, and is not the
 * folder of good images.
 */
export declare function isTypeName(name: string): boolean;
/** A type's name, in NFC. Names of folders and options compare equal once both went through it. */
export declare const typeName: () => z.ZodString;
