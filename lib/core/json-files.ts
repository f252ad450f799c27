/** Reads and writes JSON files, with one value in the file or one on each line (`.jsonl`). */
import { open, readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { FileAccessError, withFileErrors } from './errors.js';

const BYTE_ORDER_MARK = '\uFEFF';

export interface JsonLines<T> {
  /** The text of the file. It is empty if there is no file. */
  text: string;
  lines: { line: number; value: T }[];
  /** If true, the last line was written only in part. Such a line is not among `lines`. */
  torn: boolean;
}

/** Describes in one line how a value violates a schema. Returns undefined for a valid value. */
function schemaViolation(schema: z.ZodType, value: unknown): string | undefined {
  const { error } = schema.safeParse(value);
  const [issue] = error?.issues ?? [];
  return issue && `${issue.path.join('.') || 'the value'}: ${issue.message}`;
}

/** Throws ERR_FILE_ACCESS that names the file and the line. `what` completes the sentence "line N …". */
export function failAtLine(file: string, line: number, what: string): never {
  throw new FileAccessError(`Cannot use ${file}: line ${line} ${what}. Correct the line or remove it.`);
}

/**
 * Reads a file with one JSON value on each line. A byte order mark, `\r\n` and empty lines are accepted. A killed
 * process or a full disk may have cut off the last line, so a last line that is not JSON is left out. The schema checks
 * the values but does not change them.
 *
 * Throws ERR_FILE_ACCESS with the file and the line if any other line is invalid.
 */
export async function readJsonLines<S extends z.ZodType>(file: string, schema: S): Promise<JsonLines<z.output<S>>> {
  const text = await withFileErrors('read', file, () => readFile(file, 'utf8').catch(emptyIfMissing));
  const lines: JsonLines<z.output<S>>['lines'] = [];
  const rows = text.replace(BYTE_ORDER_MARK, '').split('\n');
  for (const [index, row] of rows.entries()) {
    if (row.trim() === '') continue;
    const line = index + 1;
    let value: unknown;
    try {
      value = JSON.parse(row);
    } catch {
      if (line === rows.length) return { text, lines, torn: true };
      failAtLine(file, line, 'is not valid JSON');
    }
    const violation = schemaViolation(schema, value);
    if (violation !== undefined) failAtLine(file, line, `is not a record (${violation})`);
    lines.push({ line, value: value as z.output<S> });
  }
  return { text, lines, torn: false };
}

function emptyIfMissing(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}

/** Returns the values as text, one JSON value on each line. */
export const jsonLines = (values: readonly object[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('');

/**
 * Appends a line to a file of JSON lines. A line that cannot be written completely is removed again, because the next
 * one would continue it. With `flush`, the line is on the disk when the promise resolves.
 */
export async function appendJsonLine(file: string, value: object, { flush = false } = {}): Promise<void> {
  await withFileErrors('write', file, async () => {
    const handle = await open(file, 'a');
    try {
      const { size } = await handle.stat();
      try {
        await handle.appendFile(jsonLines([value]));
        if (flush) await handle.datasync();
      } catch (error) {
        await handle.truncate(size);
        throw error;
      }
    } finally {
      await handle.close();
    }
  });
}

/** Reads a file of one JSON value. Throws ERR_FILE_ACCESS with the file's path if the value is invalid. */
export async function readJson<S extends z.ZodType>(file: string, schema: S): Promise<z.output<S>> {
  const text = await withFileErrors('read', file, () => readFile(file, 'utf8'));
  let value: unknown;
  try {
    value = JSON.parse(text.replace(BYTE_ORDER_MARK, ''));
  } catch (cause) {
    throw new FileAccessError(`Cannot use ${file}: it is not valid JSON. Remove the file. It will be created again.`, {
      cause,
    });
  }
  const violation = schemaViolation(schema, value);
  if (violation === undefined) return value as z.output<S>;
  throw new FileAccessError(`Cannot use ${file}: ${violation}. Remove the file. It will be created again.`);
}
