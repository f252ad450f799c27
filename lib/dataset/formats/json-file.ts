/** Reads the JSON files of annotation tools. */
import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { DatasetError, withFileErrors } from '../../core/errors.js';

const BYTE_ORDER_MARK = '\uFEFF';

/** Reads a JSON file. Throws ERR_FILE_ACCESS, and ERR_DATASET_INVALID if it is not JSON, for example if it is cut off. */
export async function readJsonData(file: string): Promise<unknown> {
  const text = await withFileErrors('read', file, () => readFile(file, 'utf8'));
  try {
    return JSON.parse(text.replace(BYTE_ORDER_MARK, ''));
  } catch (cause) {
    throw new DatasetError(
      `${file} is not valid JSON, it may be cut off (${(cause as Error).message}): export it again`,
      { cause },
    );
  }
}

/** Checks a part of an annotation file, which errors call `where`. Throws ERR_DATASET_INVALID with the first wrong value. */
export function checkEntry<S extends z.ZodType>(schema: S, value: unknown, where: string): z.output<S> {
  const { data, error } = schema.safeParse(value);
  if (!error) return data;
  const [issue] = error.issues;
  const place = issue?.path.join('.') ?? '';
  const expected = issue?.message.replace(/^Invalid input: expected /, '');
  throw new DatasetError(`${where} cannot be used: expected ${expected}${place === '' ? '' : ` for ${place}`}`);
}

/** The formats that are JSON files. */
export type JsonFormat = 'coco' | 'labelme' | 'datumaro';

/** Tells the format of a JSON value. Returns undefined for any other JSON. */
export function jsonFormatOf(value: unknown): JsonFormat | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { shapes, images, annotations, categories, items } = value as Record<string, unknown>;
  if (Array.isArray(shapes)) return 'labelme';
  if (Array.isArray(images) && (Array.isArray(annotations) || Array.isArray(categories))) return 'coco';
  return Array.isArray(items) ? 'datumaro' : undefined;
}
