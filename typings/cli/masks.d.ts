import { type KeepRule } from '../dataset/selection.js';
import { type Mask, type MaskMethod } from '../masker.js';
import type { Pair } from '../pair.js';
/** Flags of masks as commander gives them. */
export interface MaskFlags {
    /** The first one's masks are written. */
    mask: MaskMethod[];
    weights?: string;
    maskThreshold?: number;
    keepBest?: string;
}
/** What is known of a pair's defect. */
export interface FoundDefect {
    method: MaskMethod;
    mask: Mask;
    /** The IoU of every two methods, where there are several. */
    agreement?: Record<string, number>;
    /** Whether the mask covers anything that is not blank in the part. */
    touches: boolean;
}
/** The rule of `--keep-best`. To be called before any work is done; throws ERR_INVALID_OPTION. */
export declare function keepRule({ keepBest, mask }: MaskFlags): KeepRule | undefined;
export declare class PairMasker {
    private readonly maskers;
    private readonly visible;
    private constructor();
    /** For the methods that the flags ask for; undefined for none. */
    static create(flags: MaskFlags, partFill: 'grey' | 'black', device: string): Promise<PairMasker | undefined>;
    find(pair: Pair, signal: AbortSignal): Promise<FoundDefect>;
    dispose(): Promise<void>;
}
