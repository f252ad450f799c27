import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DatasetError, withFileErrors } from '../errors.js';
import { writeFileAtomic } from '../files.js';
import type { Mask, MaskMethod } from '../masker.js';
import type { Pair } from '../pair.js';
import { encodePng } from './image-file.js';
import type { DropReason } from './selection.js';

/** One line of `pairs.jsonl`. Paths are relative to the folder. */
export interface PairRecord {
  index: number;
  seed: number;
  type: string;
  image: string;
  part: string;
  /** Absent where no mask was asked for. */
  mask?: string;
  maskMethod?: MaskMethod;
  /** Share of the pixels in the mask, 0 to 1. */
  coverage?: number;
  /** The mask has no pixel: no defect was found. */
  empty?: boolean;
  /** Whether the mask covers anything that is not blank in the part. */
  touches?: boolean;
  /** The IoU of every two mask methods, where several were asked for: `{ 'u2net/threshold': 0.8 }`. */
  agreement?: Record<string, number>;
  /** Why the pair does not count; its files are then below `dropped/`. */
  dropped?: DropReason;
  /** Digest of the adapter's file and of the settings that decide the pixels. */
  adapter: string;
  settings: Record<string, unknown>;
}

const LIST = 'pairs.jsonl';
const DROPPED = 'dropped/';

/**
 * Writes pairs and masks in MVTec AD's layout: `test/<type>/000000.png`, `part/<type>/000000.png`,
 * `ground_truth/<type>/000000_mask.png` and `pairs.jsonl`. Every file appears whole or not at all; a pair is listed once
 * all of its files are there.
 */
export class PairWriter {
  readonly records: PairRecord[] = [];

  private constructor(
    readonly folder: string,
    readonly type: string,
    private readonly adapter: string,
    private readonly settings: Record<string, unknown>,
  ) {}

  /**
   * Opens a folder for pairs of one adapter and one set of settings. With `resume`, pairs that are there are kept.
   * Throws ERR_DATASET_INVALID where the folder holds pairs and `resume` is not set, or pairs of other settings.
   */
  static async open(
    folder: string,
    options: { type: string; adapter: string; settings: Record<string, unknown>; resume: boolean },
  ): Promise<PairWriter> {
    const writer = new PairWriter(resolve(folder), options.type, options.adapter, options.settings);
    const list = join(writer.folder, LIST);
    if (!existsSync(list)) {
      await writeFileAtomic(list, ''); // an unwritable folder is an error before any work is done
      return writer;
    }
    const text = await withFileErrors('read', list, () => readFile(list, 'utf8'));
    for (const line of text.split('\n').filter((row) => row !== ''))
      writer.#accept(JSON.parse(line) as PairRecord, list);
    if (writer.records.length > 0 && !options.resume) {
      throw new DatasetError(
        `${writer.folder} holds ${writer.records.length} generated pairs: resume, or choose another folder`,
      );
    }
    return writer;
  }

  #accept(record: PairRecord, list: string): void {
    const same =
      record.type === this.type &&
      record.adapter === this.adapter &&
      JSON.stringify(record.settings) === JSON.stringify(this.settings);
    if (!same) {
      throw new DatasetError(
        `${list} holds pairs of another adapter or other settings (${record.type}, ${JSON.stringify(record.settings)}; now ${this.type}, ${JSON.stringify(this.settings)}): choose another folder`,
      );
    }
    if (existsSync(join(this.folder, record.image)) && existsSync(join(this.folder, record.part)))
      this.records.push(record);
  }

  /** The indices that are there already. */
  get done(): ReadonlySet<number> {
    return new Set(this.records.map((record) => record.index));
  }

  /** The pairs that count. */
  get kept(): PairRecord[] {
    return this.records.filter((record) => record.dropped === undefined);
  }

  /** Writes a pair with its mask and what is known of that. */
  async write(
    pair: Pair,
    found?: { mask: Mask; method: MaskMethod; touches?: boolean; agreement?: Record<string, number> },
  ): Promise<PairRecord> {
    const name = String(pair.index).padStart(6, '0');
    const record: PairRecord = {
      index: pair.index,
      seed: pair.seed,
      type: this.type,
      image: `test/${this.type}/${name}.png`,
      part: `part/${this.type}/${name}.png`,
      adapter: this.adapter,
      settings: this.settings,
    };
    await writeFileAtomic(join(this.folder, record.image), await encodePng(pair.image));
    await writeFileAtomic(join(this.folder, record.part), await encodePng(pair.part));
    if (found) {
      const { mask, method, touches, agreement } = found;
      record.mask = `ground_truth/${this.type}/${name}_mask.png`;
      record.maskMethod = method;
      record.coverage = mask.coverage;
      record.empty = mask.coverage === 0;
      if (touches !== undefined) record.touches = touches;
      if (agreement) record.agreement = agreement;
      await writeFileAtomic(join(this.folder, record.mask), await encodePng(mask));
    }
    this.records.push(record);
    this.records.sort((a, b) => a.index - b.index);
    await this.#writeList();
    return record;
  }

  /** Moves the files of the pairs in `reasons` below `dropped/`, and those of the others back to their places. */
  async drop(reasons: ReadonlyMap<number, DropReason>): Promise<void> {
    for (const record of this.records) {
      const reason = reasons.get(record.index);
      for (const part of ['image', 'part', 'mask'] as const) {
        const path = record[part];
        if (path === undefined) continue;
        const place = path.replace(DROPPED, '');
        record[part] = reason === undefined ? place : DROPPED + place;
        if (record[part] === path) continue;
        const [from, to] = [join(this.folder, path), join(this.folder, record[part])];
        await withFileErrors('move', from, async () => {
          await mkdir(dirname(to), { recursive: true });
          await rename(from, to);
        });
      }
      if (reason === undefined) delete record.dropped;
      else record.dropped = reason;
    }
    await this.#writeList();
  }

  async #writeList(): Promise<void> {
    await writeFileAtomic(join(this.folder, LIST), this.records.map((row) => `${JSON.stringify(row)}\n`).join(''));
  }
}
