/** Declares the records of `pairs.jsonl` and the places of a pair's files. */
import { z } from 'zod';
import type { MaskMethod } from '../options/names.js';
import type { Window } from './photograph-window.js';

/** The reason why a pair was dropped. */
export type DropReason = 'empty' | 'touches nothing' | 'disagrees';

/** Describes a defect that was placed in a photograph. */
export interface PlacedDefect {
  /** The square in which it was drawn, in pixels of the photograph. */
  window: Window;
  /** The way its place was chosen. */
  method: 'auto' | 'mask' | 'box';
  /** It was drawn this many times until it was usable. */
  attempts: number;
  /** The largest change of the photograph inside the mask, as a share of the range. */
  contrast: number;
  /**
   * The mean change inside the mask, divided by the standard deviation of the photograph there and nearby. Pairs of
   * version 0.1.0 lack it.
   */
  contrastToNoise?: number;
  /** The IoU of the mask and of the pixels that changed visibly. */
  fit: number;
}

/** One line of `pairs.jsonl`. Paths are relative to the folder. */
export interface PairRecord {
  index: number;
  seed: number;
  type: string;
  image: string;
  part: string;
  /** The path of the mask. It is absent if no mask was requested. */
  mask?: string;
  maskMethod?: MaskMethod;
  /** The share of pixels that the mask marks, 0 to 1. */
  coverage?: number;
  /** True if the mask marks no pixel, because no defect was found. */
  empty?: boolean;
  /** True if the mask covers at least one pixel of the part that is not background. */
  touches?: boolean;
  /** The IoU of every two mask methods, as in `{ 'u2net/threshold': 0.8 }`. It is absent for a single method. */
  agreement?: Record<string, number>;
  /** The name of the photograph that the defects were placed in. Only pairs of the recipe `place` have it. */
  photograph?: string;
  /** The defects that were placed in the photograph. */
  defects?: PlacedDefect[];
  /** The reason why the pair was dropped. Its files are then below `dropped/`. */
  dropped?: DropReason;
  /** This marks the pair as generated, even if the record is copied elsewhere. */
  synthetic: true;
  /** The name of the recipe that made the pair. */
  recipe?: string;
  /** The digest of the adapter's file. It is absent for pairs that were made without an adapter. */
  adapter?: string;
  /** The settings that affect the pixels. */
  settings: Record<string, unknown>;
}

const share = z.number('expected a share 0..1').min(0, 'expected a share 0..1').max(1, 'expected a share 0..1');
const index = z.int('expected an integer of at least 0').min(0, 'expected an integer of at least 0');

export const placedDefectSchema = z.looseObject({
  window: z.looseObject({ left: z.int(), top: z.int(), side: z.int().min(1) }, 'expected { left, top, side }'),
  method: z.enum(['auto', 'mask', 'box'], 'expected auto, mask or box'),
  attempts: z.int('expected an integer of at least 1').min(1, 'expected an integer of at least 1'),
  contrast: share,
  contrastToNoise: z.number('expected a number of at least 0').min(0, 'expected a number of at least 0').optional(),
  fit: share,
});

/** The schema of a line. Fields that later versions add are kept. */
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
  photograph: z.string('expected a name').optional(),
  defects: z.array(placedDefectSchema, 'expected a list of placed defects').optional(),
  dropped: z.string('expected a reason').optional(),
  synthetic: z.literal(true, 'expected true').default(true), // Version 0.1.0 did not write it.
  recipe: z.string('expected the name of a recipe').optional(),
  adapter: z.string('expected a digest').optional(),
  settings: z.record(z.string(), z.unknown(), 'expected the settings'),
});

/** The kinds of files that a pair may have. */
export const FILE_KINDS = ['image', 'part', 'mask'] as const;
export type FileKind = (typeof FILE_KINDS)[number];

const FOLDERS = { image: 'test', part: 'part', mask: 'ground_truth' } as const;
const DROPPED = 'dropped';

/** Returns the folder of a type's files of one kind, relative to the dataset's folder. */
export const folderOf = (kind: FileKind, type: string, isDropped: boolean): string =>
  `${isDropped ? `${DROPPED}/` : ''}${FOLDERS[kind]}/${type}`;

/** Returns the place of a pair's file, relative to the dataset's folder. */
export function placeOf(kind: FileKind, type: string, index: number, isDropped: boolean): string {
  const name = String(index).padStart(6, '0');
  return `${folderOf(kind, type, isDropped)}/${name}${kind === 'mask' ? '_mask' : ''}.png`;
}

/** The folder of the masks that people have corrected, relative to the dataset's folder. */
export const CORRECTED = 'corrected';

/**
 * Returns the place of a mask that somebody has corrected, relative to the dataset's folder. `sequence` is the number of
 * its line in `reviews.jsonl`. Each correction has its own file, so that it can be taken back. A tag
 * tells it from corrections of the same number that somebody else makes at the same moment.
 */
export const correctedPlaceOf = (type: string, index: number, sequence: number, tag = ''): string =>
  `${CORRECTED}/${type}/${String(index).padStart(6, '0')}_mask-${sequence}${tag && `-${tag}`}.png`;

/** Returns the kinds of files that a pair has. */
export const kindsOf = (record: PairRecord): FileKind[] => FILE_KINDS.filter((kind) => record[kind] !== undefined);
