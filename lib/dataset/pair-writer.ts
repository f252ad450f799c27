import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatasetError, DualAnoDiffError, InvalidOptionError, withFileErrors } from '../core/errors.js';
import { createFolder, namesIn, writeFileAtomic } from '../core/files.js';
import { coverageOf, type PixelData } from '../core/image.js';
import { appendJsonLine, jsonLines } from '../core/json-files.js';
import { removePartialFiles } from '../core/partial-files.js';
import { pathInside } from '../core/path-inside.js';
import { lockFolder, type WriteLock } from '../core/write-lock.js';
import { checkOptions, checkValue, given, path } from '../options/check.js';
import type { WritablePair } from './generated-pair.js';
import { compressPng } from './image-file.js';
import { PAIR_LIST, type PairSource, pairWriterSchema, readPairList, writablePairSchema } from './pair-list.js';
import {
  type DropReason,
  FILE_KINDS,
  type FileKind,
  folderOf,
  kindsOf,
  type PairRecord,
  placeOf,
} from './pair-record.js';

/** The bytes of a pair's files. */
export type PairBytes = { [Kind in FileKind]?: Uint8Array };

/**
 * The files are compressed at these levels of zlib, because more work than this makes them hardly smaller. The noise of
 * photographs hardly compresses at all, and a part is mostly even.
 */
const COMPRESSION: Record<FileKind, number> = { image: 1, part: 4, mask: 6 };

/**
 * Writes pairs and masks in MVTec AD's layout: `test/<type>/000000.png`, `part/<type>/000000.png`,
 * `ground_truth/<type>/000000_mask.png` and `pairs.jsonl`. Every file is written completely or not at all, and a pair
 * is listed after all of its files are written. A writer locks its folder until it is closed.
 *
 * @example
 * await using writer = await PairWriter.open('out/pairs', { type: 'crack', resume: true });
 * for await (const pair of model.generate(adapter, { count: 100, skip: writer.done })) await writer.write(pair);
 */
export class PairWriter {
  /** The records, sorted by index. */
  readonly records: PairRecord[] = [];
  /** True if the list on the disk is not sorted by index. */
  #isUnordered = false;
  /** These pairs are being written and are not listed yet. */
  readonly #open = new Set<number>();
  /** Resolves when no pair is being written any more. */
  #earlier: Promise<unknown> = Promise.resolve();
  #lock: WriteLock | undefined;

  private constructor(
    readonly folder: string,
    private readonly source: PairSource,
    lock: WriteLock,
  ) {
    this.#lock = lock;
  }

  /** The defect type. */
  get type(): string {
    return this.source.type;
  }

  /**
   * Opens a folder for pairs of one adapter and one set of settings. With `resume`, existing pairs are kept. If a
   * killed process left incomplete files, they are removed. If it was moving files, they are moved to the places in the
   * list.
   *
   * Throws ERR_DATASET_INVALID if the folder holds pairs of other settings, or holds pairs and `resume` is not set.
   * Throws ERR_FILE_ACCESS with the line of `pairs.jsonl` that is invalid, and ERR_BUSY if another writer uses the
   * folder.
   * Throws ERR_INVALID_OPTION if `type` is not a valid name of a folder.
   */
  static async open(
    folder: string,
    options: Omit<PairSource, 'settings'> & { settings?: Record<string, unknown>; resume?: boolean },
  ): Promise<PairWriter> {
    const checked = checkOptions(pairWriterSchema, options);
    return PairWriter.openLocked(await lockFolder(checkValue('folder', path('a folder'), folder)), checked);
  }

  /**
   * Opens a folder that is locked already. The writer releases the lock.
   * @internal
   */
  static async openLocked(lock: WriteLock, options: PairSource & { resume: boolean }): Promise<PairWriter> {
    try {
      const { resume, ...source } = checkOptions(pairWriterSchema, options);
      const writer = new PairWriter(lock.place, source, lock);
      await writer.#read(resume);
      return writer;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** The indices of the pairs that the folder holds. */
  get done(): ReadonlySet<number> {
    return new Set(this.records.map((record) => record.index));
  }

  /** The pairs that were not dropped. */
  get kept(): PairRecord[] {
    return this.records.filter((record) => record.dropped === undefined);
  }

  /**
   * Writes a pair, and its mask with the facts about its defects if it has one. Several pairs may be written at once.
   * They are listed in the order of the calls. Throws ERR_INVALID_OPTION if a part of the pair is not valid, and
   * ERR_DATASET_INVALID if the folder holds the pair already. Throws ERR_FILE_ACCESS if the disk is full, and the pairs
   * before it are kept.
   */
  async write(pair: WritablePair): Promise<PairRecord> {
    return (await this.writeEncoded(pair)).record;
  }

  /**
   * Does the same, and also returns the bytes of the files.
   * @internal
   */
  async writeEncoded(pair: WritablePair): Promise<{ record: PairRecord; files: PairBytes }> {
    const { type, recipe, adapter, settings } = this.source;
    const { index, seed, image, part, mask, ...notes } = checkOptions(writablePairSchema, pair);
    if ([part, mask ?? image].some(({ width, height }) => width !== image.width || height !== image.height)) {
      throw new InvalidOptionError(`Expected image, part and mask of one size for pair ${index}`);
    }
    if (this.#find(index) !== undefined || this.#open.has(index)) {
      throw new DatasetError(`${this.folder} has the pair ${index} already: skip the pairs that are done`);
    }
    const record: PairRecord = {
      ...{ index, seed, type },
      image: placeOf('image', type, index, false),
      part: placeOf('part', type, index, false),
      synthetic: true,
      ...given({ recipe, adapter }),
      settings,
    };
    if (mask) {
      const coverage = coverageOf(mask);
      record.mask = placeOf('mask', type, index, false);
      Object.assign(record, given({ ...notes, coverage, empty: coverage === 0 }));
    }
    const earlier = this.#earlier;
    const written = this.#writeInTurn(record, { image, part, mask }, earlier);
    this.#earlier = Promise.allSettled([earlier, written]);
    return { record, files: await written };
  }

  /** Moves the files of the pairs in `reasons` to `dropped/`, and the files of all other pairs back to their places. */
  async drop(reasons: ReadonlyMap<number, DropReason>): Promise<void> {
    const changed = this.records.map((record) => this.#inState(record, reasons.get(record.index)));
    const moves = this.records.flatMap((record, i) =>
      kindsOf(record).map((kind) => [record[kind] as string, changed[i]?.[kind] as string] as const),
    );
    // The list is written first. If this process ends before the files are moved, the next one completes the move.
    await this.#writeList(changed);
    for (const [i, record] of changed.entries()) this.records[i] = record;
    for (const [from, to] of moves) await this.#move(from, to);
  }

  /**
   * Waits for pairs that are being written and releases the folder for other writers. Nothing can be written
   * afterwards. It may be called twice.
   */
  async close(): Promise<void> {
    await this.#earlier;
    const lock = this.#lock;
    try {
      if (lock && this.#isUnordered) await this.#writeList(this.records);
    } finally {
      this.#lock = undefined;
      await lock?.release();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #find(index: number): PairRecord | undefined {
    const last = this.records.at(-1);
    return last === undefined || last.index < index ? undefined : this.records.find((record) => record.index === index);
  }

  #inState(record: PairRecord, reason: DropReason | undefined): PairRecord {
    const { dropped: _, ...rest } = record;
    const changed: PairRecord = { ...rest, ...(reason !== undefined && { dropped: reason }) };
    for (const kind of kindsOf(record)) changed[kind] = placeOf(kind, this.type, record.index, reason !== undefined);
    return changed;
  }

  async #read(resume: boolean): Promise<void> {
    const list = this.#path(PAIR_LIST);
    const isNew = !existsSync(list);
    const { records, torn, text } = await readPairList(list, this.source);
    const existing = await this.#existingFiles();
    const [foreign] = existing;
    if (isNew && foreign !== undefined) {
      throw new DatasetError(
        `${this.#path(foreign)} is in the way: ${this.folder} has images of ${this.type} but no ${PAIR_LIST}, so they are not generated. Choose another folder`,
      );
    }
    const isComplete = (record: PairRecord) =>
      kindsOf(record).every((kind) => this.#places(kind, record).some((place) => existing.has(place)));
    const complete = records.filter(isComplete);
    const held = complete.length + (torn ? 1 : 0);
    if (held > 0 && !resume) {
      throw new DatasetError(`${this.folder} holds ${held} generated pairs: resume, or choose another folder`);
    }
    for (const record of complete) {
      for (const kind of kindsOf(record)) {
        const [place, other] = this.#places(kind, record);
        if (!existing.has(place)) await this.#move(other, place);
      }
      this.records.push(record);
    }
    // An incomplete pair will be made again, so its old files must not stay beside the new ones.
    for (const record of records.filter((one) => !isComplete(one))) {
      for (const place of FILE_KINDS.flatMap((kind) => this.#places(kind, record))) {
        await withFileErrors('remove', this.#path(place), () => rm(this.#path(place), { force: true }));
      }
    }
    // An empty list is written as well, so that a read-only folder is an error before any work is done.
    if (text === '' || text !== jsonLines(this.records)) await this.#writeList(this.records);
  }

  /** Removes incomplete files of a killed process. Returns the files of the type that exist, relative to the folder. */
  async #existingFiles(): Promise<Set<string>> {
    await removePartialFiles(this.folder, (name) => name === PAIR_LIST);
    const found = new Set<string>();
    for (const isDropped of [false, true]) {
      for (const kind of FILE_KINDS) {
        const folder = folderOf(kind, this.type, isDropped);
        await removePartialFiles(this.#path(folder), (name) => name.endsWith('.png'));
        for (const name of await namesIn(this.#path(folder))) found.add(`${folder}/${name}`);
      }
    }
    return found;
  }

  /** Returns the place of a pair's file, and its place before the pair was dropped or restored. */
  #places(kind: (typeof FILE_KINDS)[number], { index, dropped }: PairRecord): [string, string] {
    const isDropped = dropped !== undefined;
    return [placeOf(kind, this.type, index, isDropped), placeOf(kind, this.type, index, !isDropped)];
  }

  #path(name: string): string {
    return pathInside(this.folder, name);
  }

  /** Writes the files of a pair at once, and lists it when the pairs before it are written. */
  async #writeInTurn(
    record: PairRecord,
    images: Record<FileKind, PixelData | undefined>,
    earlier: Promise<unknown>,
  ): Promise<PairBytes> {
    this.#open.add(record.index);
    try {
      const files = await this.#writeFiles(record, images);
      await earlier;
      await this.#list(record);
      return files;
    } finally {
      this.#open.delete(record.index);
    }
  }

  /** Encodes and writes the files of a record. If one fails, it waits for the others. */
  async #writeFiles(record: PairRecord, images: Record<FileKind, PixelData | undefined>): Promise<PairBytes> {
    this.#requireOpen();
    const files: PairBytes = {};
    const writing = kindsOf(record).map(async (kind) => {
      const file = this.#path(record[kind] as string);
      const bytes = await compressPng(images[kind] as PixelData, COMPRESSION[kind]);
      await writeFileAtomic(file, bytes);
      files[kind] = bytes;
    });
    const failed = (await Promise.allSettled(writing)).find((one) => one.status === 'rejected');
    if (failed) throw failed.reason;
    return files;
  }

  async #move(from: string, to: string): Promise<void> {
    if (from === to) return;
    const path = this.#path(to);
    await withFileErrors('move', this.#path(from), async () => {
      await createFolder(dirname(path));
      await rename(this.#path(from), path);
    });
  }

  /** Appends a line to the list. Writing the whole list for each of many pairs would take hours. */
  async #list(record: PairRecord): Promise<void> {
    await appendJsonLine(this.#path(PAIR_LIST), record, { flush: true });
    const place = this.records.findLastIndex(({ index }) => index < record.index) + 1;
    this.#isUnordered ||= place < this.records.length;
    this.records.splice(place, 0, record);
  }

  async #writeList(records: readonly PairRecord[]): Promise<void> {
    this.#requireOpen();
    await writeFileAtomic(this.#path(PAIR_LIST), jsonLines(records));
    this.#isUnordered = false;
  }

  #requireOpen(): void {
    if (!this.#lock) throw new DualAnoDiffError(`The writer of ${this.folder} is closed`, 'ERR_DISPOSED');
  }
}
