import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DatasetError, withFileErrors } from '../errors.js';
import { writeFileAtomic } from '../files.js';
import type { Mask } from '../masker.js';
import type { Pair } from '../sampler.js';
import { encodePng } from './image-file.js';

/** One line of `pairs.jsonl`. Paths are relative to the folder. */
export interface PairRecord {
  index: number;
  seed: number;
  type: string;
  image: string;
  part: string;
  /** Absent where no mask was asked for. */
  mask?: string;
  maskMethod?: string;
  /** Share of the pixels in the mask, 0 to 1. */
  coverage?: number;
  /** The mask has no pixel: no defect was found. */
  empty?: boolean;
  /** Digest of the adapter's file and of the settings that decide the pixels. */
  adapter: string;
  settings: Record<string, unknown>;
}

const LIST = 'pairs.jsonl';

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

  async write(pair: Pair, mask?: Mask, maskMethod?: string): Promise<PairRecord> {
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
    if (mask) {
      record.mask = `ground_truth/${this.type}/${name}_mask.png`;
      record.maskMethod = maskMethod ?? 'u2net';
      record.coverage = mask.coverage;
      record.empty = mask.coverage === 0;
      await writeFileAtomic(join(this.folder, record.mask), await encodePng(mask));
    }
    this.records.push(record);
    this.records.sort((a, b) => a.index - b.index);
    await writeFileAtomic(join(this.folder, LIST), this.records.map((row) => `${JSON.stringify(row)}\n`).join(''));
    return record;
  }
}
