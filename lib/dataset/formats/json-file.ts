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

/** A longer text in an error would hide the rest of it. */
const SHOWN_CHARACTERS = 40;

/** Describes a value of a file for an error. */
function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}...`;
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((part, key) => (part as Record<PropertyKey, unknown> | null | undefined)?.[key], value);

/** Checks a part of an annotation file, which errors call `where`. Throws ERR_DATASET_INVALID with the first wrong value. */
export function checkEntry<S extends z.ZodType>(schema: S, value: unknown, where: string): z.output<S> {
  const { data, error } = schema.safeParse(value);
  if (!error) return data;
  const [issue] = error.issues;
  const path = issue?.path ?? [];
  const expected = issue?.message.replace(/^Invalid input: expected /, '').replace(/, received .*$/, '');
  const place = path.length === 0 ? '' : ` for ${path.join('.')}`;
  throw new DatasetError(
    `${where} cannot be used: expected ${expected}${place} but received ${describe(valueAt(value, path))}: correct it, or export the file again`,
  );
}

/** The formats that are JSON files. */
export type JsonFormat = 'coco' | 'labelme' | 'datumaro';

/**
 * Guesses the format of a file that is not valid JSON, so that its error comes from the reader of its format. The words
 * stand in this order because COCO and Datumaro both have annotations.
 */
export async function guessJsonFormat(file: string): Promise<JsonFormat | undefined> {
  const text = await withFileErrors('read', file, () => readFile(file, 'utf8'));
  const has = (name: string) => new RegExp(`"${name}"\\s*:\\s*\\[`).test(text);
  if (has('shapes')) return 'labelme';
  if (has('items')) return 'datumaro';
  return has('images') ? 'coco' : undefined;
}

/** Tells the format of a JSON value. Returns undefined for any other JSON. */
export function jsonFormatOf(value: unknown): JsonFormat | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { shapes, images, annotations, categories, items } = value as Record<string, unknown>;
  if (Array.isArray(shapes)) return 'labelme';
  if (Array.isArray(images) && (Array.isArray(annotations) || Array.isArray(categories))) return 'coco';
  return Array.isArray(items) ? 'datumaro' : undefined;
}
