import type { Dataset } from '../dataset/dataset.js';
import type { DualAnoDiff } from '../model.js';
import type { schedulers } from '../options/schemas.js';
import type { MaskFlags } from './masks.js';
import type { Context } from './runner.js';
import { type TrainFlags } from './stages.js';
/** Flags of `run` and `demo`. */
export interface RunFlags extends TrainFlags, MaskFlags {
    count: number;
    sampleSteps: number;
    guidanceScale: number;
    guidanceInterval: [number, number];
    reuseFeatures: number;
    scheduler: (typeof schedulers)[number];
    sampleBatchSize: number;
    negativePrompt: string;
    decoder: 'vae' | 'taesd';
    backgroundImages?: string;
    backgroundEvery: number;
    backgroundNoise: 'fixed' | 'fresh';
    keepBackgroundFeatures: 'no' | 'device' | 'host';
    vary?: number;
    ownShare?: number;
    smallOwnShare?: number;
    pasteShare?: number;
    smallPasteShare?: number;
    thinPasteShare?: number;
    pasteOnDefects?: boolean;
    pasteTurns?: boolean;
    lightSpread?: number;
    smallLightSpread?: number;
    exposureSpread?: number;
    movedContrast?: number;
    /** Undefined: as large as the model's pictures. */
    varyResolution?: number;
    /** Undefined: as trained. */
    sampleResolution?: number;
    device: string;
}
/** What `run` does unless its user says otherwise, for commands that have no flags of their own for it. */
export declare const DEFAULT_RUN_FLAGS: Omit<RunFlags, 'count'>;
export interface RunSummary {
    type: string;
    report: string;
    dataset: string;
    adapter: string;
    pairs: number;
    emptyMasks: number;
    /** Where masks were made in several ways: the mean IoU of every two, over the pairs. */
    agreement: Record<string, number>;
    /** Pairs that `--keep-best` dropped. */
    dropped: number;
    /** Means over the first and the last tenth of the steps. */
    firstLoss: number | null;
    lastLoss: number | null;
    trainSeconds: number;
    sampleSeconds: number;
}
/** The main job on one type: train, sample, mask, report; everything below `<out>/<type>`. */
export declare function runType(model: DualAnoDiff, dataset: Dataset, type: string, out: string, flags: RunFlags, { signal, io }: Context): Promise<RunSummary>;
/** One summary for people. */
export declare function describeRun(summary: RunSummary): string;
