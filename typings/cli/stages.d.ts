import { type LogEntry } from '../checkpoints.js';
import type { Dataset, Example } from '../dataset/dataset.js';
import { PairWriter } from '../dataset/pair-writer.js';
import type { DualAnoDiff } from '../model.js';
import { type schedulers } from '../options/schemas.js';
import { Trainer } from '../trainer.js';
import { type WriteLock } from '../write-lock.js';
import type { Console } from './console.js';
import { type MaskFlags } from './masks.js';
/** Flags of `train` as commander gives them. */
export interface TrainFlags {
    steps?: number;
    batchSize?: number;
    gradientAccumulation: number;
    rank: number;
    learningRate?: number;
    timestepPower?: number;
    defectShare?: number;
    initialAdapter?: string;
    warmupSteps: number;
    resolution?: number;
    seed: number;
    trainImages: string;
    fit: 'crop' | 'stretch';
    partFill: 'grey' | 'black' | 'auto';
    branches: 'joint' | 'separate' | 'one';
    flips: boolean;
    background: 'off' | 'add' | 'interpolate';
    backgroundScaled: boolean;
    foregroundMasks?: string;
    foregroundWeights?: string;
    textEncoder: boolean;
    gradientCheckpointing?: boolean;
    globalPrompt?: string;
    anomalyPrompt?: string;
    checkpointEvery: number;
    previewEvery: number;
    resume?: boolean;
}
/** Flags of `sample` as commander gives them. */
export interface SampleFlags {
    steps: number;
    guidanceScale: number;
    guidanceInterval: [number, number];
    reuseFeatures: number;
    scheduler: (typeof schedulers)[number];
    sampleBatchSize: number;
    negativePrompt: string;
    globalPrompt?: string;
    anomalyPrompt?: string;
    decoder: 'vae' | 'taesd';
    backgroundImages?: string;
    backgroundEvery: number;
    backgroundNoise: 'fixed' | 'fresh';
    keepBackgroundFeatures: 'no' | 'device' | 'host';
    /** The strength of variations; undefined for pairs from noise. */
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
    varyResolution?: number;
    /** Undefined: as the adapter says. */
    backgroundScaled?: boolean;
    foregroundMasks?: string;
    foregroundWeights?: string;
    seed: number;
    resolution?: number;
    resume?: boolean;
}
export interface TrainedType {
    trainer: Trainer;
    /** Of every step, those of earlier processes too. */
    losses: LogEntry[];
    /** This process's. */
    seconds: number;
}
export declare function trainType(model: DualAnoDiff, dataset: Dataset, type: string, out: string, flags: TrainFlags, signal: AbortSignal, io: Console): Promise<TrainedType>;
export interface Generated {
    writer: PairWriter;
    emptyMasks: number;
    /** Pairs that `keepBest` dropped. */
    dropped: number;
    seconds: number;
}
export interface Sampling {
    adapter: string;
    out: string;
    count: number;
    flags: SampleFlags & MaskFlags;
    device: string;
    /** Good images, where the flags name no others. */
    goodImages?: string[];
    /** The real pairs that variations start from. */
    examples?: Example[];
    /** On `out`, where it is taken before. */
    lock?: WriteLock;
}
type LayoutFlags = Pick<SampleFlags, 'vary' | 'ownShare' | 'smallOwnShare' | 'pasteShare' | 'smallPasteShare' | 'thinPasteShare' | 'pasteOnDefects' | 'pasteTurns' | 'lightSpread' | 'smallLightSpread' | 'exposureSpread' | 'movedContrast' | 'varyResolution'>;
/** What the flags say of variations' layouts. To be called before any work is done; throws ERR_INVALID_OPTION. */
export declare function layoutOptions(flags: LayoutFlags): {
    ownShare: number;
    smallOwnShare: number;
    pasteShare: number;
    smallPasteShare?: number | undefined;
    thinPasteShare?: number | undefined;
    pasteOnDefects: boolean;
    pasteTurns: boolean;
    lightSpread: number;
    smallLightSpread?: number | undefined;
    exposureSpread: number;
    movedContrast: number;
};
/** Ends a job before its training where pairs need good images and the category has none. */
export declare function checkGoodImages(dataset: Dataset, flags: SampleFlags & TrainFlags): Promise<void>;
export declare function samplePairs(model: DualAnoDiff, sampling: Sampling, signal: AbortSignal, io: Console): Promise<Generated>;
export {};
