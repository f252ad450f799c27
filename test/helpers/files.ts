/** Reads what tests compare or look for in folders. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PairRecord } from '../../lib/index.js';

/** The files below a folder, relative to it, sorted. */
export const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

/** Every file below a folder with the digest of its bytes. */
export const contentsOf = (folder: string): Record<string, string> =>
  Object.fromEntries(filesOf(folder).map((name) => [name, digestOf(join(folder, name))]));

function digestOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** Returns the files that a process leaves half-written when it is killed. */
export const leftoversOf = (folder: string): string[] =>
  filesOf(folder).filter((name) => /\.partial-|\.lock-/.test(name));

/** The values of a file of JSON lines. */
export const linesOf = <T>(file: string): T[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);

/** The lines of a folder's `pairs.jsonl`. */
export const recordsOf = (folder: string): PairRecord[] => linesOf(join(folder, 'pairs.jsonl'));
