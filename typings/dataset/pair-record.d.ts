/** What `pairs.jsonl` says of a pair, and where the pair's files are. */
import { z } from 'zod';
import type { MaskMethod } from '../masker.js';
import type { DropReason } from './selection.js';
/** One line of `pairs.jsonl`. Paths are relative to the folder. */
export interface PairRecord {
    index: number;
    seed: number;
    type: string;
    image: string;
    part: string;
    /** Absent where no mask was asked for. */
    mask?: string;
    maskMethod?: MaskMethod;
    /** Share of the pixels in the mask, 0 to 1. */
    coverage?: number;
    /** The mask has no pixel: no defect was found. */
    empty?: boolean;
    /** Whether the mask covers anything that is not blank in the part. */
    touches?: boolean;
    /** The IoU of every two mask methods, where several were asked for: `{ 'u2net/threshold': 0.8 }`. */
    agreement?: Record<string, number>;
    /** Why the pair does not count; its files are then below `dropped/`. */
    dropped?: DropReason;
    /** Digest of the adapter's file and of the settings that decide the pixels. */
    adapter: string;
    settings: Record<string, unknown>;
}
/** A line as it may be read; what later versions add is kept. */
export declare const pairRecordSchema: z.ZodObject<{
    index: z.ZodInt;
    seed: z.ZodNumber;
    type: z.ZodString;
    image: z.ZodString;
    part: z.ZodString;
    mask: z.ZodOptional<z.ZodString>;
    maskMethod: z.ZodOptional<z.ZodString>;
    coverage: z.ZodOptional<z.ZodNumber>;
    empty: z.ZodOptional<z.ZodBoolean>;
    touches: z.ZodOptional<z.ZodBoolean>;
    agreement: z.ZodOptional<z.ZodRecord<z.ZodString, z.ZodNumber>>;
    dropped: z.ZodOptional<z.ZodString>;
    adapter: z.ZodString;
    settings: z.ZodRecord<z.ZodString, z.ZodUnknown>;
}, z.core.$loose>;
/** The files of a pair. */
export declare const FILE_KINDS: readonly ['image', 'part', 'mask'];
export type FileKind = (typeof FILE_KINDS)[number];
/** The folder of a type's files of one kind, relative to the dataset's. */
export declare const folderOf: (kind: FileKind, type: string, isDropped: boolean) => string;
/** Where a pair's file is, relative to the dataset's folder: decided by type, index and state alone. */
export declare function placeOf(kind: FileKind, type: string, index: number, isDropped: boolean): string;
/** The kinds of files that a pair has. */
export declare const kindsOf: (record: PairRecord) => FileKind[];
