/** Writes the pairs of a recipe as a dataset. */
import { join } from 'node:path';
import { pMapIterable } from 'p-map';
import { DualAnoDiffError, InvalidOptionError } from '../core/errors.js';
import { lockFolder, type WriteLock } from '../core/write-lock.js';
import type { WritablePair } from '../dataset/generated-pair.js';
import type { DropReason, PairRecord } from '../dataset/pair-record.js';
import { type PairBytes, PairWriter } from '../dataset/pair-writer.js';
import { reviewsOf } from '../dataset/reviews.js';
import { type KeepRule, parseKeepRule, selectPairs } from '../dataset/selection.js';
import { GOOD_TYPE } from '../options/type-name.js';
import type { OpenRecipe } from '../recipes/recipe.js';
import { type JobContext, warnOf } from './job.js';

export interface WrittenPairs {
  writer: PairWriter;
  emptyMasks: number;
  /** This number of pairs was dropped by `keepBest`. */
  dropped: number;
  /** This number of pairs was left out by the recipe, because their defects stayed invisible. */
  failed: number;
  seconds: number;
}

export interface PairRun {
  /** This is the folder, or the lock on it if the caller already holds it. */
  out: string | WriteLock;
  /** This is the number of pairs of the seed. */
  count: number;
  /** Only the pairs from the first index up to, but without, the second one are made. */
  range?: readonly [number, number] | undefined;
  keepBest?: KeepRule | undefined;
  resume: boolean;
  /** This is called with each pair after it is written, while its pixels and the bytes of its files are in memory. */
  onWritten?: (record: PairRecord, pair: WritablePair, files: PairBytes) => Promise<void>;
}

/**
 * Reads the rule of `keepBest`. It compares mask methods, so it needs several of them. Throws ERR_INVALID_OPTION.
 */
export function keepRuleOf(keepBest: string | undefined, methods: readonly string[]): KeepRule | undefined {
  if (keepBest === undefined) return undefined;
  if (methods.length < 2) {
    throw new InvalidOptionError(
      `Expected several methods for mask with keepBest, such as all, but received ${methods.join() || 'none'}: pairs are judged by how far the methods agree`,
    );
  }
  return parseKeepRule(keepBest);
}

/**
 * The number of pairs that are written at once. While one waits for the disk, others are encoded. More would need more
 * memory, and photographs may be large, so that fewer of them are written at once.
 */
const WRITTEN_AT_ONCE = { squares: 4, photographs: 2 };

const pathsIn = (folder: string, { image, part, mask }: Pick<PairRecord, 'image' | 'part' | 'mask'>) => ({
  ...{ image: join(folder, image), part: join(folder, part) },
  ...(mask !== undefined && { mask: join(folder, mask) }),
});

/** Checks a range of indices. Throws ERR_INVALID_OPTION if it is not within the pairs of the seed. */
export function requireRange(range: readonly [number, number] | undefined, count: number): void {
  if (range === undefined || range[1] <= count) return;
  throw new InvalidOptionError(
    `Expected indices up to count, which is ${count}, for range but received ${range.join(', ')}`,
  );
}

/** Returns what the rule drops, without pairs that a person has kept or whose mask a person has corrected. */
async function dropReasons({ folder, records }: PairWriter, rule: KeepRule): Promise<Map<number, DropReason>> {
  const reasons = selectPairs(records, rule);
  for (const [index, { decision, mask }] of await reviewsOf(folder, records)) {
    if (decision === 'keep' || (decision === undefined && mask !== undefined)) reasons.delete(index);
  }
  return reasons;
}

/**
 * Makes the missing pairs and writes each when it is ready. Throws ERR_NO_PAIRS if no pair of the recipe can be used.
 */
export async function writePairs(
  recipe: OpenRecipe,
  { out, count, range = [0, count], keepBest, resume, onWritten }: PairRun,
  context: JobContext,
): Promise<WrittenPairs> {
  const { type } = recipe.source;
  const { signal, onEvent } = context;
  const lock = typeof out === 'string' ? await lockFolder(out) : out;
  await using writer = await PairWriter.openLocked(lock, { ...recipe.source, resume });
  const start = performance.now();
  const [from, to] = range;
  const isWanted = (index: number) => index >= from && index < to;
  const others = Array.from({ length: count }, (_, index) => index).filter((index) => !isWanted(index));
  const total = to - from;
  let done = writer.records.filter(({ index }) => isWanted(index)).length;
  const ended = new AbortController();
  const stop = signal ? AbortSignal.any([signal, ended.signal]) : ended.signal;
  const pairs = recipe.pairs({ count, skip: new Set([...writer.done, ...others]), signal: stop });
  // The engine makes the next pairs while these are encoded and written.
  const write = async (pair: WritablePair) => {
    const { record, files } = await writer.writeEncoded(pair);
    await onWritten?.(record, pair, files);
    return record;
  };
  const writing = new Set<Promise<unknown>>();
  const writeTracked = (pair: WritablePair) => {
    const one = write(pair);
    writing.add(one);
    one.finally(() => writing.delete(one)).catch(() => {}); // The loop below has the error.
    return one;
  };
  const written = pMapIterable(pairs, writeTracked, {
    concurrency: recipe.source.recipe === 'place' ? WRITTEN_AT_ONCE.photographs : WRITTEN_AT_ONCE.squares,
  });
  try {
    for await (const { index, ...files } of written) {
      done++;
      onEvent?.({ event: 'pair', index, type, ...pathsIn(writer.folder, files) });
      onEvent?.({ event: 'progress', stage: 'sample', unit: 'pairs', done, total, type });
    }
  } finally {
    ended.abort(); // If a write failed, the engine is in the middle of the next pairs.
    await Promise.allSettled(writing); // Nothing may be written after the lock is released.
  }
  const failed = total - done;
  if (writer.records.length === 0) {
    throw new DualAnoDiffError(
      `${type}: no defect became visible in any of ${total} pairs. Train longer, choose larger places, or lower the strength.`,
      'ERR_NO_PAIRS',
    );
  }
  if (failed > 0) {
    warnOf(`${type}: ${failed} of ${total} pairs are left out, because no defect became visible in them`, context);
  }
  const emptyMasks = writer.records.filter((record) => record.empty).length;
  if (emptyMasks > 0 && type !== GOOD_TYPE) {
    const all = writer.records.length;
    warnOf(`${type}: ${emptyMasks} of ${all} masks are empty, because no defect was found in those parts`, context);
  }
  if (keepBest) await writer.drop(await dropReasons(writer, keepBest));
  const dropped = writer.records.length - writer.kept.length;
  return { writer, emptyMasks, dropped, failed, seconds: (performance.now() - start) / 1000 };
}
