import { join, resolve } from 'node:path';
import { DatasetError, InvalidOptionError } from '../core/errors.js';
import { Dataset, type Example } from '../dataset/dataset.js';
import { foldersIn, isFolder } from '../dataset/folders.js';
import type { DetectorKind } from '../detect/kinds.js';
import type { baselines } from '../options/names.js';

/** A row of the table, which is one source of training defects. */
export interface Row {
  name: string;
  source: 'pairs' | 'crop-paste' | 'draem' | 'none';
  /** True if the defects include the real training pairs. */
  real: boolean;
  /**
   * The generated pairs among the defects: one set for all seeds, one set for each seed, or one for each number of shots
   * and each of its seeds.
   */
  generated?: GeneratedSet[];
}

/** Generated pairs by defect type. */
export interface GeneratedSet {
  /** The folder, or several with + between them. */
  folder: string;
  types: Map<string, Example[]>;
}

const BASELINES: Record<(typeof baselines)[number], Row> = {
  none: { name: 'none', source: 'pairs', real: true },
  'crop-paste': { name: 'crop-paste', source: 'crop-paste', real: true },
  draem: { name: 'draem', source: 'draem', real: false },
};

/** The row of detectors that learn from good images alone. */
export const GOOD_ONLY: Row = { name: 'good only', source: 'none', real: false };

/** Returns true for a row that learns from good images alone, so that the number of shots makes no difference. */
export const knowsNoDefects = ({ real, generated }: Row): boolean => !real && generated === undefined;

/**
 * Returns true if a detector is evaluated in a row. A detector that makes up defects of its own does not learn from
 * those of the row `draem`.
 */
export function learnsFrom({ learnsFrom: source }: Pick<DetectorKind, 'learnsFrom'>, row: Row): boolean {
  if (row === GOOD_ONLY) return source !== 'defects';
  return source === 'defects' || (source === 'either' && !knowsNoDefects(row));
}

/**
 * Opens the datasets in a folder. It is a dataset itself, or holds `<type>/dataset` as the command `run` writes them.
 */
async function datasetsIn(folder: string): Promise<Dataset[]> {
  const path = resolve(folder);
  const found: Dataset[] = [];
  for (const type of await foldersIn(path)) {
    const dataset = join(type.path, 'dataset');
    if (await isFolder(join(dataset, 'test'))) found.push(await Dataset.open(dataset));
  }
  // This check comes last because a defect type may be called "test".
  if (found.length === 0 && (await isFolder(join(path, 'test')))) return [await Dataset.open(path)];
  if (found.length === 0) {
    throw new DatasetError(`${path} holds no generated pairs: expected test/<type>, or <type>/dataset/test/<type>`);
  }
  return found;
}

/** Splits the folders of a set, which have + between them. A folder whose name is the whole text takes precedence. */
async function foldersOf(text: string): Promise<string[]> {
  const folders = text.split('+');
  return folders.includes('') || (await isFolder(resolve(text))) ? [text] : folders;
}

/**
 * Opens the generated pairs of the evaluated types in a folder, or in several with + between them. Throws
 * ERR_DATASET_INVALID if a type has none, or with the folder that holds no pairs.
 */
export async function openGenerated(folder: string, types: readonly string[]): Promise<GeneratedSet> {
  const datasets: Dataset[] = [];
  for (const one of await foldersOf(folder)) datasets.push(...(await datasetsIn(one)));
  const found = new Map<string, Example[]>();
  for (const dataset of datasets) {
    for (const type of dataset.types) {
      if (!types.includes(type)) continue;
      found.set(type, [...(found.get(type) ?? []), ...(await dataset.examples(type))]);
    }
  }
  const missing = types.filter((type) => (found.get(type) ?? []).length === 0);
  if (missing.length > 0) {
    throw new DatasetError(
      `${folder} has no generated pairs of ${missing.join(', ')}: sample them first, or keep some in their review`,
    );
  }
  return { folder, types: found };
}

/**
 * Throws ERR_INVALID_OPTION unless each seed has a folder of its own, or all share one. With shots, each number of real
 * photographs and each seed needs its own, because its pairs must not know more photographs.
 */
function requireFolders(name: string, count: number, seeds: number, shots: readonly number[] | undefined): void {
  if (shots === undefined && count !== 1 && count !== seeds) {
    throw new InvalidOptionError(
      `Expected one folder of ${name} for all seeds, or ${seeds} folders, one for each seed, but received ${count}`,
    );
  }
  const needed = (shots?.length ?? 0) * seeds;
  if (shots !== undefined && count !== needed) {
    throw new InvalidOptionError(
      `Expected ${needed} folders of ${name}, one for each seed of each number of shots, but received ${count}: name a recipe instead, which makes them`,
    );
  }
}

/** Throws ERR_INVALID_OPTION if no detector can learn from pairs. */
export function requireLearner(kinds: readonly Pick<DetectorKind, 'name' | 'learnsFrom'>[]): void {
  if (kinds.some((kind) => kind.learnsFrom !== 'good')) return;
  const names = kinds.map(({ name }) => name).join(', ');
  throw new InvalidOptionError(`Expected a detector that learns from pairs but received ${names}`);
}

/** The choices that decide the rows. */
export interface RowSettings {
  compare: readonly (typeof baselines)[number][];
  /** The folders of generated pairs by name. */
  pairs: Readonly<Record<string, string | string[]>>;
  withReal: boolean;
  seeds: number;
  shots?: readonly number[] | undefined;
}

/**
 * Makes the table's rows: good images alone, the baselines, and each generated set alone and, with `withReal`, together
 * with real pairs. Rows from which none of the detectors learns are left out.
 */
export async function makeRows(
  { compare, pairs, withReal, seeds, shots }: RowSettings,
  kinds: readonly Pick<DetectorKind, 'name' | 'learnsFrom'>[],
  types: readonly string[],
): Promise<Row[]> {
  const rows: Row[] = [GOOD_ONLY, ...[...new Set(compare)].map((name) => BASELINES[name])];
  if (Object.keys(pairs).length > 0) requireLearner(kinds);
  for (const [name, chosen] of Object.entries(pairs)) {
    if (Object.hasOwn(BASELINES, name))
      throw new InvalidOptionError(`A generated set cannot be called ${name}, because a baseline has this name`);
    const folders = typeof chosen === 'string' ? [chosen] : chosen;
    requireFolders(name, folders.length, seeds, shots);
    const sets: GeneratedSet[] = [];
    for (const folder of folders) sets.push(await openGenerated(folder, types));
    rows.push({ name, source: 'pairs', real: false, generated: sets });
    if (withReal) rows.push({ name: `${name}+real`, source: 'pairs', real: true, generated: sets });
  }
  return rows.filter((row) => kinds.some((kind) => learnsFrom(kind, row)));
}
