/** Declares the lists of what a detector got wrong, which an evaluation writes and `place --like` reads. */
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { DatasetError, FileAccessError } from '../core/errors.js';
import { readJsonLines } from '../core/json-files.js';
import { isTypeName } from '../options/type-name.js';
import type { Box, Size } from './cut.js';

/** The defect of a photograph: its type, its place and its size. */
export interface MissedDefect {
  type: string;
  /** The size of the photograph, in pixels. */
  photograph: Size;
  /** The smallest box around the defect, in pixels of the photograph. */
  box: Box;
}

/** The run of an evaluation in which a detector decided, with what it decided by. */
export interface Decided {
  /** The row and the detector of the table. */
  row: string;
  detector: string;
  seed: number;
  /** The number of real photographs of each type, if `shots` are evaluated. */
  shots?: number;
  /** The path of the test image, relative to the folder of the list. An image in memory has its name in messages. */
  image: string;
  /** Scores of at least the threshold are called defects. */
  score: number;
  threshold: number;
}

/** A line of `misses.jsonl`: a defect of a test image of which no pixel reached the threshold of pixels. */
export interface Miss extends MissedDefect, Decided {
  /** The number of pixels of the photograph that the defect covers. */
  area: number;
}

/** A line of `false-alarms.jsonl`: a good test image whose score reached the threshold of images. */
export interface FalseAlarm extends Decided {}

const pixels = (low: number) =>
  z.int(`expected whole pixels of at least ${low}`).min(low, `expected whole pixels of at least ${low}`);

/** The schema of what placing reads of a missed defect. It has no pixels and no mask of it. */
export const missedDefectSchema = z
  .looseObject(
    {
      type: z.string('expected the name of a type').refine(isTypeName, 'expected the name of a type'),
      photograph: z.looseObject({ width: pixels(1), height: pixels(1) }, 'expected { width, height }'),
      box: z.looseObject(
        { left: pixels(0), top: pixels(0), width: pixels(1), height: pixels(1) },
        'expected { left, top, width, height }',
      ),
    },
    'expected a missed defect',
  )
  .refine(
    ({ photograph, box }) => box.left + box.width <= photograph.width && box.top + box.height <= photograph.height,
    { path: ['box'], message: 'expected a box inside the photograph' },
  );

/**
 * Reads the missed defects that an evaluation lists in `misses.jsonl`. Throws ERR_DATASET_INVALID if there is no such
 * file or if it lists nothing, and ERR_FILE_ACCESS with the line that is invalid or cut off.
 */
export async function readMissedDefects(file: string): Promise<MissedDefect[]> {
  if (!(await stat(file).catch(() => undefined))?.isFile()) {
    throw new DatasetError(`${file} is no file: expected the misses.jsonl of an evaluation for like`);
  }
  const { lines, torn } = await readJsonLines(file, missedDefectSchema);
  if (torn) {
    throw new FileAccessError(`Cannot use ${file}: its last line is cut off. Copy it again, or remove the line.`);
  }
  if (lines.length === 0) {
    throw new DatasetError(`${file} lists no missed defect, so there is nothing to place like them`);
  }
  return lines.map(({ value }) => value);
}
