/** Groups the photographs of one part, so that a split keeps them on one side. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { DatasetError, withFileErrors } from '../core/errors.js';
import { fewAtOnce } from '../core/few-at-once.js';
import type { ImageSource } from './image-source.js';
import { type Structure, showSamePart, structureOf, withoutCommon } from './structure.js';

/** This file in the folder of a dataset names groups. It has a line `path,group` for each photograph that it lists. */
export const GROUP_LIST = 'groups.csv';

/**
 * Reads the groups that the user names, by the absolute paths of the photographs. The map is empty without a file.
 * Throws ERR_DATASET_INVALID with the line that cannot be used.
 */
export async function readGroupList(folder: string): Promise<Map<string, string>> {
  const file = join(folder, GROUP_LIST);
  const groups = new Map<string, string>();
  if (!existsSync(file)) return groups;
  const text = await withFileErrors('read', file, () => readFile(file, 'utf8'));
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines[0]?.trim() !== 'path,group') {
    throw new DatasetError(
      `Expected path,group in the first line of ${file} but received ${JSON.stringify(lines[0] ?? '')}`,
    );
  }
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === '') continue;
    const [, path = '', group = ''] = /^(.*),([^,]*)$/.exec(line) ?? [];
    const photograph = resolve(folder, path.trim());
    const where = `line ${index + 1} of ${file}`;
    if (path.trim() === '' || group.trim() === '') {
      throw new DatasetError(`Expected path,group in ${where} but received ${JSON.stringify(line)}`);
    }
    if (!existsSync(photograph)) {
      throw new DatasetError(
        `Expected a path below ${folder} in ${where} but received ${path.trim()}, which is missing`,
      );
    }
    if (groups.has(photograph)) throw new DatasetError(`${path.trim()} is listed twice: see ${where}`);
    groups.set(photograph, group.trim());
  }
  return groups;
}

/** The number of comparisons between two pauses, so that the event loop is never blocked for long. */
const PAUSE_EVERY = 50;

/**
 * Returns the number of each photograph's group. `listed` has the groups that the user names. All other photographs
 * are grouped by their structure: those of almost the same size and structure show one part. What all photographs and
 * `others` have in common does not count. Throws ERR_DATASET_INVALID with the file that cannot be read.
 */
export async function groupsOf(
  photographs: readonly ImageSource[],
  listed: ReadonlyMap<string, string>,
  others: readonly ImageSource[] = [],
): Promise<number[]> {
  const nameOf = (source: ImageSource) => (typeof source === 'string' ? listed.get(source) : undefined);
  const unlisted = photographs.filter((source) => nameOf(source) === undefined);
  const structures = withoutCommon(await fewAtOnce([...unlisted, ...others], structureOf));
  const structureAt = new Map(unlisted.map((source, index) => [source, structures[index] as Structure]));
  const parents = photographs.map((_, index) => index);
  const rootOf = (index: number): number => {
    const parent = parents[index] as number;
    return parent === index ? index : rootOf(parent);
  };
  const firstOf = new Map<string, number>();
  let comparisons = 0;
  for (const [index, source] of photographs.entries()) {
    const name = nameOf(source);
    if (name !== undefined) parents[index] = firstOf.get(name) ?? index;
    if (name !== undefined && !firstOf.has(name)) firstOf.set(name, index);
    const structure = structureAt.get(source);
    for (let other = 0; structure && other < index; other++) {
      const candidate = structureAt.get(photographs[other] as ImageSource);
      if (!candidate || rootOf(other) === rootOf(index)) continue;
      if (++comparisons % PAUSE_EVERY === 0) await setImmediate();
      if (showSamePart(candidate, structure)) parents[rootOf(index)] = rootOf(other);
    }
  }
  return photographs.map((_, index) => rootOf(index));
}
