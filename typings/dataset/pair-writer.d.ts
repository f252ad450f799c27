import type { Mask, MaskMethod } from '../masker.js';
import type { Pair } from '../pair.js';
import { type PairRecord } from './pair-record.js';
import type { DropReason } from './selection.js';
/**
 * Writes pairs and masks in MVTec AD's layout: `test/<type>/000000.png`, `part/<type>/000000.png`,
 * `ground_truth/<type>/000000_mask.png` and `pairs.jsonl`. Every file appears whole or not at all; a pair is listed once
 * all of its files are there. One writer at a time has a folder, until it is closed.
 *
 * @example
 * await using writer = await PairWriter.open('out/pairs', { type: 'crack', adapter, settings: {}, resume: true });
 * for await (const pair of sampler.sample({ count: 100, skip: writer.done })) await writer.write(pair);
 */
export declare class PairWriter {
    #private;
    readonly folder: string;
    private readonly source;
    /** By index. */
    readonly records: PairRecord[];
    private constructor();
    /** The defect type. */
    get type(): string;
    /**
     * Opens a folder for pairs of one adapter and one set of settings. With `resume`, pairs that are there are kept; what
     * a killed process left half-written is removed, and files that it was moving are put where the list says.
     *
     * Throws ERR_DATASET_INVALID where the folder holds pairs and `resume` is not set, or pairs of other settings;
     * ERR_FILE_ACCESS naming the line of `pairs.jsonl` that is damaged; ERR_BUSY where another writer has the folder;
     * ERR_INVALID_OPTION where `type` is not one folder's name.
     */
    static open(folder: string, options: {
        type: string;
        adapter: string;
        settings: Record<string, unknown>;
        resume: boolean;
    }): Promise<PairWriter>;
    /** The indices that are there already. */
    get done(): ReadonlySet<number>;
    /** The pairs that count. */
    get kept(): PairRecord[];
    /**
     * Writes a pair with its mask and what is known of that. Throws ERR_DATASET_INVALID where the pair is there already, and
     * ERR_FILE_ACCESS where the disk is full: the pairs before it are kept.
     */
    write(pair: Pair, found?: {
        mask: Mask;
        method: MaskMethod;
        touches?: boolean;
        agreement?: Record<string, number>;
    }): Promise<PairRecord>;
    /** Moves the files of the pairs in `reasons` below `dropped/`, and those of the others back to their places. */
    drop(reasons: ReadonlyMap<number, DropReason>): Promise<void>;
    /** Lets others write to the folder. May be called twice; nothing can be written afterwards. */
    close(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}
