/** Holds the pairs of a review, and changes what is decided about them. */
import { basename, resolve } from 'node:path';
import pLimit from 'p-limit';
import type { Decision } from '../components/pair.js';
import { InvalidOptionError } from '../core/errors.js';
import { pathInside } from '../core/path-inside.js';
import type { Box } from '../dataset/cut.js';
import { boundingBox } from '../dataset/fit.js';
import { encodePng } from '../dataset/image-file.js';
import type { ImageSource } from '../dataset/image-source.js';
import { areaOf } from '../dataset/measure-pair.js';
import { GOOD_TYPE } from '../options/type-name.js';
import type { PairImageKind, ReviewChange, ReviewList, ReviewState } from './contract.js';
import { readCorrectedMask } from './corrected-mask.js';
import { descriptionOf, type PairDescription, stateOf } from './describe-pair.js';
import type { RealExample, RealImages } from './real-images.js';
import { notFound, RequestError } from './request-error.js';
import type { OpenPair, ReviewedFolder } from './reviewed-folder.js';

/** How many pairs are kept, dropped and undecided, and how many masks are corrected. */
export interface ReviewCounts {
  pairs: number;
  kept: number;
  dropped: number;
  undecided: number;
  corrected: number;
}

/** The pairs of one or several folders, in the order of the folders and of their numbers. */
export class ReviewSession {
  readonly #pairs: readonly OpenPair[];
  readonly #photographs: { name: string; source: ImageSource }[] = [];
  readonly #list: Omit<ReviewList, 'event' | 'pairs'>;
  readonly #descriptions: readonly PairDescription[];
  readonly #changes: ReviewChange[] = [];
  /** Who has undone an action, by the pair and the number of the action. */
  readonly #undoneBy = new Map<string, string>();
  readonly #listeners = new Set<(change: ReviewChange) => void>();
  /** Two reviewers may decide at the same moment, but the lines follow each other. */
  readonly #oneAtATime = pLimit(1);

  constructor(
    root: string,
    private readonly folders: readonly ReviewedFolder[],
    private readonly real: RealImages,
  ) {
    this.#pairs = folders.flatMap(({ pairs }) => pairs);
    const idOf = new Map<string, number>();
    for (const { record } of this.#pairs) {
      const { photograph: name } = record;
      const source = name === undefined || idOf.has(name) ? undefined : real.photograph(name);
      if (name !== undefined && source !== undefined) idOf.set(name, this.#photographs.push({ name, source }) - 1);
    }
    this.#descriptions = this.#pairs.map((pair) => descriptionOf(pair, real, idOf));
    this.#list = {
      title: basename(resolve(root)),
      folders: folders.map(({ name }) => name),
      photographs: this.#photographs.map(({ name }) => ({ name })),
      defects: real.defects.map(({ source: _, shapes: __, ...defect }) => defect),
    };
  }

  /** The number of pairs. */
  get size(): number {
    return this.#pairs.length;
  }

  /** The number of the latest change. */
  get event(): number {
    return this.#changes.length;
  }

  list(): ReviewList {
    const pairs = this.#pairs.map((pair, id) => ({ ...(this.#descriptions[id] as PairDescription), ...stateOf(pair) }));
    return { ...this.#list, pairs, event: this.event };
  }

  counts(): ReviewCounts {
    const states = this.#pairs.map(stateOf);
    const of = (decision: Decision | null) => states.filter((state) => state.decision === decision).length;
    const corrected = states.filter(({ isCorrected }) => isCorrected).length;
    return { pairs: states.length, kept: of('keep'), dropped: of('drop'), undecided: of(null), corrected };
  }

  stateOf(id: number): ReviewState {
    return stateOf(this.#pair(id));
  }

  /** Returns the path of a pair's file. Throws a RequestError if the pair does not have it. */
  fileOf(id: number, kind: PairImageKind): string {
    const pair = this.#pair(id);
    const { record, review } = pair;
    const corrected = kind === 'mask' ? review.mask?.path : undefined;
    const path = corrected ?? record[kind === 'original-mask' ? 'mask' : kind];
    if (path === undefined) throw notFound(`${kind} of pair ${id}`);
    return pathInside(pair.log.folder, path);
  }

  /** Returns the folder and the number of a pair, which name its thumbnails. */
  placeOf(id: number): { folder: string; index: number } {
    const { log, record } = this.#pair(id);
    return { folder: log.folder, index: record.index };
  }

  photograph(id: number): ImageSource {
    const found = this.#photographs[id];
    if (!found) throw notFound(`photograph ${id}`);
    return found.source;
  }

  defect(id: number): RealExample['source'] {
    const found = this.real.defects[id];
    if (!found) throw notFound(`real defect ${id}`);
    return found.source;
  }

  /** Keeps or drops a pair. Nothing is written if that is decided already. Throws ERR_FILE_ACCESS. */
  decide(id: number, decision: Decision, reviewer: string): Promise<ReviewChange> {
    const pair = this.#pair(id);
    return this.#oneAtATime(async () => {
      if (pair.review.decision === decision) return { ...this.#change(id, decision, reviewer), event: this.event };
      await pair.log.append(pair.record, pair.facts.digest, { action: decision });
      return this.#publish(id, decision, reviewer);
    });
  }

  /** Replaces the mask of a pair. Throws ERR_INVALID_OPTION and ERR_DATASET_INVALID for a mask that cannot be used. */
  async correct(id: number, png: Buffer, reviewer: string): Promise<ReviewChange> {
    const pair = this.#pair(id);
    const { record, facts } = pair;
    requireMaskable(pair, id);
    const mask = await readCorrectedMask(png, facts);
    const measured = { area: areaOf(mask), box: boundingBox(mask) as Box };
    const bytes = await encodePng(mask);
    return this.#oneAtATime(async () => {
      await pair.log.correct(record, facts.digest, bytes, measured);
      return this.#publish(id, 'mask', reviewer);
    });
  }

  /**
   * Takes the pair's latest action back. Throws a RequestError if that is not the one with the number `undoable`, because
   * another reviewer has done something since. A reviewer who has not got the answer may ask again: then nothing more is
   * taken back.
   */
  undo(id: number, undoable: number, reviewer: string): Promise<ReviewChange> {
    const pair = this.#pair(id);
    return this.#oneAtATime(async () => {
      const key = `${id} ${undoable}`;
      if (this.#undoneBy.get(key) === reviewer) return { ...this.#change(id, 'undo', reviewer), event: this.event };
      if (pair.review.undoable !== undoable) {
        const message = 'The pair was changed in the meantime, so that nothing was taken back: look at it again';
        throw new RequestError(409, 'ERR_CONFLICT', message, stateOf(pair));
      }
      await pair.log.append(pair.record, pair.facts.digest, { action: 'undo', undoes: undoable });
      this.#undoneBy.set(key, reviewer);
      return this.#publish(id, 'undo', reviewer);
    });
  }

  /** Returns the changes after an event. */
  changesAfter(event: number): readonly ReviewChange[] {
    return this.#changes.slice(event);
  }

  /** Calls `listener` with each change from now on. Returns what ends that. */
  subscribe(listener: (change: ReviewChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Waits for what is being written, and releases the folders. */
  async close(): Promise<void> {
    await this.#oneAtATime(async () => {});
    for (const { log } of this.folders) await log.close();
  }

  #pair(id: number): OpenPair {
    const pair = this.#pairs[id];
    if (!pair) throw notFound(`pair ${id}`);
    return pair;
  }

  #change(id: number, action: ReviewChange['action'], reviewer: string): Omit<ReviewChange, 'event'> {
    return { id, action, reviewer, state: this.stateOf(id) };
  }

  #publish(id: number, action: ReviewChange['action'], reviewer: string): ReviewChange {
    const pair = this.#pair(id);
    pair.review = pair.log.reviewOf(pair.record, pair.facts.digest);
    const change = { ...this.#change(id, action, reviewer), event: this.event + 1 };
    this.#changes.push(change);
    for (const listener of this.#listeners) listener(change);
    return change;
  }
}

/** Throws ERR_INVALID_OPTION for a pair that cannot have a mask. */
function requireMaskable({ record, facts }: OpenPair, id: number): void {
  if (record.type === GOOD_TYPE) throw new InvalidOptionError(`Pair ${id} shows no defect, so it has no mask`);
  if (facts.width === 0) throw new InvalidOptionError(`The mask of pair ${id} cannot be corrected: ${facts.problem}`);
}
