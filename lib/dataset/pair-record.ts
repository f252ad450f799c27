/** What `pairs.jsonl` says of a pair, and where the pair's files are. */
import { z } from 'zod';
import type { MaskMethod } from '../options/names.js';

/** Why a pair was dropped. */
export type DropReason = 'empty' | 'touches nothing' | 'disagrees';

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
  /** Generated pairs say so wherever they end up. */
  synthetic: true;
  /** How the pair came about: the name of a recipe. */
  recipe?: string;
  /** Digest of the adapter's file; absent for pairs that were made without one. */
  adapter?: string;
  /** The settings that decide the pixels. */
  settings: Record<string, unknown>;
}

const share = z.number('expected a share 0..1').min(0, 'expected a share 0..1').max(1, 'expected a share 0..1');
const index = z.int('expected an integer of at least 0').min(0, 'expected an integer of at least 0');

/** A line as it may be read; what later versions add is kept. */
export const pairRecordSchema = z.looseObject({
  index,
  seed: z.number('expected a number'),
  type: z.string('expected text'),
  image: z.string('expected a path'),
  part: z.string('expected a path'),
  mask: z.string('expected a path').optional(),
  maskMethod: z.string('expected the name of a method').optional(),
  coverage: share.optional(),
  empty: z.boolean('expected true or false').optional(),
  touches: z.boolean('expected true or false').optional(),
  agreement: z.record(z.string(), share).optional(),
  dropped: z.string('expected a reason').optional(),
  synthetic: z.literal(true, 'expected true').default(true), // Version 0.1.0 did not write it.
  recipe: z.string('expected the name of a recipe').optional(),
  adapter: z.string('expected a digest').optional(),
  settings: z.record(z.string(), z.unknown(), 'expected the settings'),
});

/** The files of a pair. */
export const FILE_KINDS = ['image', 'part', 'mask'] as const;
export type FileKind = (typeof FILE_KINDS)[number];

const FOLDERS = { image: 'test', part: 'part', mask: 'ground_truth' } as const;
const DROPPED = 'dropped';

/** The folder of a type's files of one kind, relative to the dataset's. */
export const folderOf = (kind: FileKind, type: string, isDropped: boolean): string =>
  `${isDropped ? `${DROPPED}/` : ''}${FOLDERS[kind]}/${type}`;

/** Where a pair's file is, relative to the dataset's folder: decided by type, index and state alone. */
export function placeOf(kind: FileKind, type: string, index: number, isDropped: boolean): string {
  const name = String(index).padStart(6, '0');
  return `${folderOf(kind, type, isDropped)}/${name}${kind === 'mask' ? '_mask' : ''}.png`;
}

/** The kinds of files that a pair has. */
export const kindsOf = (record: PairRecord): FileKind[] => FILE_KINDS.filter((kind) => record[kind] !== undefined);
