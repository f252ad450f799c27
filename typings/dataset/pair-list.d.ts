import { type PairRecord } from './pair-record.js';
/** What all pairs of a folder have in common. */
export interface PairSource {
    type: string;
    /** Digest of the adapter's file. */
    adapter: string;
    settings: Record<string, unknown>;
}
export interface PairList {
    /** By index. */
    records: PairRecord[];
    /** The file's last line was cut off: the pair is to be made again. */
    torn: boolean;
    text: string;
}
/**
 * Reads the list of a folder; an empty one where there is no file. Throws ERR_FILE_ACCESS naming the line that is damaged,
 * and ERR_DATASET_INVALID for pairs of another type, adapter or settings.
 */
export declare function readPairList(file: string, source: PairSource): Promise<PairList>;
