import type { Mask, MaskMethod } from '../masker.js';
import type { Pair } from '../pair.js';
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
/**
 * Writes pairs and masks in MVTec AD's layout: `test/<type>/000000.png`, `part/<type>/000000.png`,
 * `ground_truth/<type>/000000_mask.png` and `pairs.jsonl`. Every file appears whole or not at all; a pair is listed once
 * all of its files are there.
 */
export declare class PairWriter {
    #private;
    readonly folder: string;
    readonly type: string;
    private readonly adapter;
    private readonly settings;
    readonly records: PairRecord[];
    private constructor();
    /**
     * Opens a folder for pairs of one adapter and one set of settings. With `resume`, pairs that are there are kept.
     * Throws ERR_DATASET_INVALID where the folder holds pairs and `resume` is not set, or pairs of other settings.
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
    /** Writes a pair with its mask and what is known of that. */
    write(pair: Pair, found?: {
        mask: Mask;
        method: MaskMethod;
        touches?: boolean;
        agreement?: Record<string, number>;
    }): Promise<PairRecord>;
    /** Moves the files of the pairs in `reasons` below `dropped/`, and those of the others back to their places. */
    drop(reasons: ReadonlyMap<number, DropReason>): Promise<void>;
}
