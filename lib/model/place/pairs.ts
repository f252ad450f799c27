/** Makes pairs by placing defects in photographs. */
import { basename } from 'node:path';
import type { NativePlaceWindow } from '../../addon-types.js';
import { warn } from '../../core/warnings.js';
import type { MaskedPair } from '../../dataset/generated-pair.js';
import { type ImageSource, labelOf } from '../../dataset/image-source.js';
import type { PartFill } from '../../dataset/part-fill.js';
import { type Photograph, PhotographReader } from '../../dataset/photograph.js';
import { type TaskOptions, throwIfAborted } from '../../run-native.js';
import type { PlaceEngine } from './engine.js';
import type { PlaceFinder } from './finder.js';
import { type DrawnDefect, PairDefect } from './pair-defect.js';
import { pasteDefect, placedImages } from './paste.js';
import type { Place } from './place.js';

/** Holds what the pairs of a call depend on. */
export interface PlaceRequest extends TaskOptions {
  /** The pairs to make. */
  indices: readonly number[];
  photographs: readonly ImageSource[];
  perPhotograph: number;
  /** The number of windows that are drawn at once. */
  batchSize: number;
  seed: number;
  partFill: PartFill;
}

/** A pair whose defects are being drawn. */
interface OpenPair {
  index: number;
  photograph: ImageSource;
  defects: PairDefect[];
}

/**
 * Yields the pairs with these indices, in their order. A pair in which no defect became visible is left out. Pair k
 * uses photograph k, or starts again at the first one if there are fewer.
 */
export async function* placePairs(
  engine: PlaceEngine,
  finder: PlaceFinder,
  request: PlaceRequest,
): AsyncGenerator<MaskedPair, void, undefined> {
  const { indices, photographs, perPhotograph, batchSize, seed, partFill, signal } = request;
  const reader = new PhotographReader();
  // Photographs are large, so they are opened for each step and only windows are kept in between.
  const pairsAtOnce = Math.ceil(batchSize / perPhotograph);
  for (let from = 0; from < indices.length; from += pairsAtOnce) {
    const pairs: OpenPair[] = [];
    for (const index of indices.slice(from, from + pairsAtOnce)) {
      throwIfAborted(signal);
      const photograph = photographs[index % photographs.length] as ImageSource;
      const defects = await plan(finder, await reader.open(photograph), index, perPhotograph);
      pairs.push({ index, photograph, defects });
    }
    await drawAll(engine, finder, reader, pairs, request);
    for (const { index, photograph, defects } of pairs) {
      throwIfAborted(signal);
      const found = defects.flatMap(({ best, attempts }) => (best ? [{ ...best, attempts }] : []));
      if (found.length === 0) continue;
      const images = await placedImages(engine, await reader.open(photograph), found, partFill);
      yield { index, seed, ...images, maskMethod: 'placed', ...recordOf(photograph, found) };
    }
  }
}

/** Chooses the places of a pair. There are fewer than asked for if the photograph has no room for more. */
async function plan(
  finder: PlaceFinder,
  photograph: Photograph,
  index: number,
  perPhotograph: number,
): Promise<PairDefect[]> {
  const defects: PairDefect[] = [];
  for (let i = 0; i < perPhotograph; i++) {
    const key = { index: index * perPhotograph + i, attempt: 0 };
    const taken = defects.flatMap(({ places }) => places);
    const place = await finder.find(photograph, key, taken);
    if (!place) break;
    defects.push(new PairDefect(key.index, place));
  }
  if (defects.length < perPhotograph) {
    warn(`${photograph.label} has room for ${defects.length} of ${perPhotograph} defects.`);
  }
  return defects;
}

/** Draws the defects of pairs until each can be used or has been tried often enough. */
async function drawAll(
  engine: PlaceEngine,
  finder: PlaceFinder,
  reader: PhotographReader,
  pairs: readonly OpenPair[],
  { batchSize, signal }: PlaceRequest,
): Promise<void> {
  for (;;) {
    const waiting = pairs.flatMap(({ defects }) => defects.filter(({ next }) => next !== undefined));
    if (waiting.length === 0) return;
    const drawn = new Map<PairDefect, DrawnDefect['drawn']>();
    for (let from = 0; from < waiting.length; from += batchSize) {
      const batch = waiting.slice(from, from + batchSize);
      const results = await engine.draw(batch.map(windowOf));
      for (const [i, result] of results.entries()) drawn.set(batch[i] as PairDefect, result);
    }
    for (const { photograph, defects } of pairs) {
      if (!defects.some((defect) => drawn.has(defect))) continue;
      throwIfAborted(signal);
      await judge(engine, finder, await reader.open(photograph), defects, drawn);
    }
  }
}

function windowOf({ index, attempts, next }: PairDefect): NativePlaceWindow {
  const { photograph, place, defect, foreground } = next as Place;
  return { index, attempt: attempts, photograph, place, ...(defect && { defect }), ...(foreground && { foreground }) };
}

/** Judges the drawn defects of one photograph and chooses new places for those that cannot be used. */
async function judge(
  engine: PlaceEngine,
  finder: PlaceFinder,
  photograph: Photograph,
  defects: readonly PairDefect[],
  drawnNow: ReadonlyMap<PairDefect, DrawnDefect['drawn']>,
): Promise<void> {
  const again: PairDefect[] = [];
  for (const defect of defects) {
    const [drawn, place] = [drawnNow.get(defect), defect.next];
    if (!drawn || !place) continue;
    const { mask, contrast, contrastToNoise, fit } = await pasteDefect(engine, photograph.image, place, drawn);
    const isEmpty = mask.every((value) => value === 0);
    if (defect.take({ place, drawn, contrast, contrastToNoise, fit }, isEmpty)) again.push(defect);
  }
  for (const defect of again) {
    const others = defects.filter((other) => other !== defect).flatMap(({ places }) => places);
    defect.next = await finder.find(photograph, { index: defect.index, attempt: defect.attempts }, others);
  }
}

/** Returns what `pairs.jsonl` says of a pair beside its files. The photograph is named without the folders that lead to it. */
function recordOf(photograph: ImageSource, found: readonly (DrawnDefect & { attempts: number })[]) {
  const defects = found.map(({ place: { window, method }, attempts, contrast, contrastToNoise, fit }) => ({
    ...{ window, method, attempts, contrast, contrastToNoise, fit },
  }));
  return { photograph: basename(labelOf(photograph)), defects };
}
