/** Holds the pairs of a review, and changes what is decided about them. */
import { randomUUID } from 'node:crypto';
import { resolve, sep } from 'node:path';
import pLimit from 'p-limit';
import type { Decision } from '../components/pair.js';
import { InvalidOptionError } from '../core/errors.js';
import { fewAtOnce } from '../core/few-at-once.js';
import { pathInside } from '../core/path-inside.js';
import type { Box } from '../dataset/cut.js';
import { boundingBox } from '../dataset/fit.js';
import { encodePng } from '../dataset/image-file.js';
import type { ImageSource } from '../dataset/image-source.js';
import { areaOf } from '../dataset/measure-pair.js';
import type { PairRecord } from '../dataset/pair-record.js';
import { GOOD_TYPE } from '../options/type-name.js';
import type { MeasuredPairs, PairImageKind, ReviewChange, ReviewList, ReviewPair, ReviewState } from './contract.js';
import { readCorrectedMask } from './corrected-mask.js';
import { descriptionOf, type PairDescription, stateOf } from './describe-pair.js';
import { GrowingList } from './growing-list.js';
import type { PairFacts } from './pair-facts.js';
import type { RealExample, RealImages } from './real-images.js';
import { notFound, RequestError, reviewEnded } from './request-error.js';
import { closeFolders, type OpenPair, type ReviewedFolder } from './reviewed-folder.js';

/** Pairs are measured in chunks of this many, and the results are kept after so many chunks. */
const [CHUNK, SAVED_CHUNKS] = [64, 32];
/** The answer about measured pairs has at most this many of them, and comes after this time even if there are none. */
const [MOST_MEASURED, LONGEST_WAIT_MS] = [1000, 5000];
/** Measured pairs are gathered for this long, because a page asks again as soon as it has an answer. */
const GATHER_MS = 500;

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
  /** Tells this review from others of the same pairs, which count changes from 1 on as well. */
  readonly name: string = randomUUID();
  readonly #pairs: readonly OpenPair[];
  readonly #photographs: { name: string; source: ImageSource }[] = [];
  readonly #list: Omit<ReviewList, 'event' | 'measured' | 'pairs'>;
  readonly #photographIds = new Map<string, number>();
  readonly #descriptions: PairDescription[];
  /** The measurements of pairs that were begun. */
  readonly #measurements = new Map<number, Promise<PairFacts>>();
  /** The pairs that are measured, in the order in which they were. */
  readonly #measured = new GrowingList<number>();
  readonly #closing = new AbortController();
  #isClosed = false;
  #measuring: Promise<void> = Promise.resolve();
  readonly #changes: ReviewChange[] = [];
  /** Who has undone an action, by the pair and the number of the action. */
  readonly #undoneBy = new Map<string, string>();
  readonly #listeners = new Set<(change: ReviewChange) => void>();
  /** Two reviewers may decide at the same moment, but the lines follow each other. */
  readonly #oneAtATime = pLimit(1);

  constructor(
    /** The folder that is reviewed. */
    private readonly root: string,
    title: string,
    private readonly folders: readonly ReviewedFolder[],
    private readonly real: RealImages,
  ) {
    this.#pairs = folders.flatMap(({ pairs }) => pairs);
    const idOf = this.#photographIds;
    for (const { record } of this.#pairs) {
      const { photograph: name } = record;
      const source = name === undefined || idOf.has(name) ? undefined : real.photograph(name);
      if (name !== undefined && source !== undefined) idOf.set(name, this.#photographs.push({ name, source }) - 1);
    }
    this.#descriptions = this.#pairs.map((pair) => descriptionOf(pair, real, idOf));
    this.#list = {
      ...{ title, session: this.name },
      folders: folders.map(({ name }) => name),
      photographs: this.#photographs.map(({ name }) => ({ name })),
      defects: real.defects.map(({ source: _, shapes: __, ...defect }) => defect),
    };
  }

  /** The paths of the folders. */
  get folderPaths(): string[] {
    return this.folders.map(({ log }) => log.folder);
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
    const pairs = this.#pairs.map((_, id) => this.#describe(id));
    return { ...this.#list, pairs, event: this.event, measured: this.#measured.items.length };
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

  /**
   * Measures all pairs, those first that somebody asks for. `onPairs` gets the number of pairs that are measured. A pair
   * whose files cannot be read has a problem.
   */
  measureAll(onPairs: (done: number) => void = () => {}): Promise<void> {
    this.#measuring = (async () => {
      const ids = [...this.#pairs.keys()];
      for (let from = 0; from < ids.length && !this.#closing.signal.aborted; from += CHUNK) {
        await fewAtOnce(ids.slice(from, from + CHUNK), (id) => this.measure(id).catch(() => undefined));
        if ((from / CHUNK) % SAVED_CHUNKS === SAVED_CHUNKS - 1) await this.#saveFacts();
        onPairs(this.#measured.items.length);
      }
      await this.#saveFacts();
    })();
    return this.#measuring;
  }

  /** True if all pairs are measured. */
  get isMeasured(): boolean {
    return this.#measured.items.length === this.size;
  }

  /** Ends {@link measureAll}, and the waiting for its results. */
  stopMeasuring(): void {
    this.#closing.abort();
  }

  /** Measures a pair if that was not done yet. Throws ERR_FILE_ACCESS if its files cannot be read. */
  measure(id: number): Promise<PairFacts> {
    const begun = this.#measurements.get(id) ?? this.#measureNow(id);
    this.#measurements.set(id, begun);
    return begun;
  }

  async #measureNow(id: number): Promise<PairFacts> {
    const pair = this.#pair(id);
    const known = (facts: PairFacts) => {
      pair.facts = facts;
      this.#descriptions[id] = descriptionOf(pair, this.real, this.#photographIds);
      this.#measured.add(id);
      return facts;
    };
    try {
      const { problem, ...facts } = await pair.cache.factsOf(pair.record);
      return known({ ...facts, ...(problem !== undefined && { problem: this.#withoutRoot(problem) }) });
    } catch (error) {
      const problem = this.#withoutRoot((error as Error).message);
      known({ digest: '', width: 0, height: 0, area: 0, box: null, problem });
      throw error;
    }
  }

  /** Makes the paths in a text relative to the reviewed folder, because pages of a service are not on its machine. */
  #withoutRoot(text: string): string {
    return text.replaceAll(`${resolve(this.root)}${sep}`, '');
  }

  /**
   * Returns the pairs that were measured after the first `after` ones. If there are none yet, it waits for some, but not
   * for longer than a page should wait. While pairs are being measured, it gathers them for a moment.
   */
  async measuredAfter(after: number): Promise<MeasuredPairs> {
    if (after < this.size) {
      const { signal } = this.#closing;
      await this.#measured.until(after + 1, LONGEST_WAIT_MS, signal);
      await this.#measured.until(Math.min(after + MOST_MEASURED, this.size), GATHER_MS, signal);
    }
    const ids = this.#measured.items.slice(after, after + MOST_MEASURED);
    return { event: this.event, pairs: ids.map((id) => ({ id, pair: this.#describe(id) })) };
  }

  async #saveFacts(): Promise<void> {
    for (const { cache } of this.folders) await cache.save(this.isMeasured);
  }

  #describe(id: number): ReviewPair {
    return { ...(this.#descriptions[id] as PairDescription), ...this.stateOf(id) };
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
  async decide(id: number, decision: Decision, reviewer: string): Promise<ReviewChange> {
    const pair = this.#pair(id);
    const { digest } = await this.measure(id);
    return this.#act(async () => {
      if (pair.review.decision === decision) return { ...this.#change(id, decision, reviewer), event: this.event };
      await pair.log.append(pair.record, digest, { action: decision });
      return this.#publish(id, decision, reviewer);
    });
  }

  /** Replaces the mask of a pair. Throws ERR_INVALID_OPTION and ERR_DATASET_INVALID for a mask that cannot be used. */
  async correct(id: number, png: Buffer, reviewer: string): Promise<ReviewChange> {
    const pair = this.#pair(id);
    const { record } = pair;
    const facts = await this.measure(id);
    requireMaskable(record, facts, id);
    const mask = await readCorrectedMask(png, facts);
    const measured = { area: areaOf(mask), box: boundingBox(mask) as Box };
    const bytes = await encodePng(mask);
    return this.#act(async () => {
      await pair.log.correct(record, facts.digest, bytes, measured);
      return this.#publish(id, 'mask', reviewer);
    });
  }

  /**
   * Takes the pair's latest action back. Throws a RequestError if that is not the one with the number `undoable`, because
   * another reviewer has done something since. A reviewer who has not got the answer may ask again: then nothing more is
   * taken back.
   */
  async undo(id: number, undoable: number, reviewer: string): Promise<ReviewChange> {
    const pair = this.#pair(id);
    const { digest } = await this.measure(id);
    return this.#act(async () => {
      const key = `${id} ${undoable}`;
      if (this.#undoneBy.get(key) === reviewer) return { ...this.#change(id, 'undo', reviewer), event: this.event };
      if (pair.review.undoable !== undoable) {
        const message = 'The pair was changed in the meantime, so that nothing was taken back: look at it again';
        throw new RequestError(409, 'ERR_CONFLICT', message, stateOf(pair));
      }
      await pair.log.append(pair.record, digest, { action: 'undo', undoes: undoable });
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

  /** Waits for what is being written, and releases the folders. Nothing is written afterwards. */
  async close(): Promise<void> {
    this.stopMeasuring();
    try {
      await this.#oneAtATime(async () => {
        this.#isClosed = true;
      });
      await this.#measuring;
      await this.#saveFacts();
    } finally {
      await closeFolders(this.folders);
    }
  }

  /** Runs a change when those before it have ended. Throws ERR_REVIEW_ENDED if the review was closed meanwhile. */
  #act(change: () => Promise<ReviewChange>): Promise<ReviewChange> {
    return this.#oneAtATime(() => {
      if (this.#isClosed) throw reviewEnded('The review was closed: load the page again');
      return change();
    });
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
    pair.review = pair.log.reviewOf(pair.record, pair.facts?.digest ?? '');
    const change = { ...this.#change(id, action, reviewer), event: this.event + 1 };
    this.#changes.push(change);
    for (const listener of this.#listeners) listener(change);
    return change;
  }
}

/** Throws ERR_INVALID_OPTION for a pair that cannot have a mask. */
function requireMaskable(record: PairRecord, facts: PairFacts, id: number): void {
  if (record.type === GOOD_TYPE) throw new InvalidOptionError(`Pair ${id} shows no defect, so it has no mask`);
  if (facts.width === 0) throw new InvalidOptionError(`The mask of pair ${id} cannot be corrected: ${facts.problem}`);
}
