/** Files of JSON that a process may have left torn: a value a line (`.jsonl`), or one value. */
import { open, readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { FileAccessError, withFileErrors } from './errors.js';

const BYTE_ORDER_MARK = '\uFEFF';

export interface JsonLines<T> {
  /** The file's text; empty where there is no file. */
  text: string;
  lines: { line: number; value: T }[];
  /** The last line was cut off while it was written: it is not among the lines. */
  torn: boolean;
}

/** Why a value is not what the schema says, in one line. */
function flaw(schema: z.ZodType, value: unknown): string | undefined {
  const { error } = schema.safeParse(value);
  const [issue] = error?.issues ?? [];
  return issue && `${issue.path.join('.') || 'the value'}: ${issue.message}`;
}

/** Throws ERR_FILE_ACCESS for a line of a file that cannot be used. */
export function failAtLine(file: string, line: number, what: string): never {
  throw new FileAccessError(`Cannot use ${file}: line ${line} ${what}. Correct the line or remove it.`);
}

/**
 * Reads a file of a JSON value a line. A byte order mark, `\r\n` and empty lines do no harm. A last line without an end
 * that is no JSON was torn by a kill or a full disk, and is left out. Values are as they were written: the schema checks
 * them and changes nothing.
 *
 * Throws ERR_FILE_ACCESS naming the file and the line that is damaged otherwise.
 */
export async function readJsonLines<S extends z.ZodType>(file: string, schema: S): Promise<JsonLines<z.output<S>>> {
  const text = await withFileErrors('read', file, () => readFile(file, 'utf8').catch(emptyWhereMissing));
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
    const wrong = flaw(schema, value);
    if (wrong !== undefined) failAtLine(file, line, `is not a record (${wrong})`);
    lines.push({ line, value: value as z.output<S> });
  }
  return { text, lines, torn: false };
}

function emptyWhereMissing(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}

/** The text of a file of JSON lines. */
export const jsonLines = (values: readonly object[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('');

/**
 * Adds a line to a file of JSON lines. One that cannot be written whole is taken back: the next would continue it. With
 * `flush` it is on the disk before this returns.
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

/** Reads a file of one JSON value. Throws ERR_FILE_ACCESS naming the file where it is something else. */
export async function readJson<S extends z.ZodType>(file: string, schema: S): Promise<z.output<S>> {
  const text = await withFileErrors('read', file, () => readFile(file, 'utf8'));
  let value: unknown;
  try {
    value = JSON.parse(text.replace(BYTE_ORDER_MARK, ''));
  } catch (cause) {
    throw new FileAccessError(`Cannot use ${file}: it is not valid JSON. Remove it; it will be made again.`, { cause });
  }
  const wrong = flaw(schema, value);
  if (wrong === undefined) return value as z.output<S>;
  throw new FileAccessError(`Cannot use ${file}: ${wrong}. Remove it; it will be made again.`);
}
