import type { Dataset } from '../dataset/dataset.js';
import { PairWriter } from '../dataset/pair-writer.js';
import { Masker } from '../masker.js';
import type { DualAnoDiff } from '../model.js';
import { type schedulers } from '../options/schemas.js';
import { Trainer, type TrainStep } from '../trainer.js';
import type { Console } from './console.js';
/** Flags of `train` as commander gives them. */
export interface TrainFlags {
    steps?: number;
    batchSize?: number;
    gradientAccumulation: number;
    rank: number;
    learningRate?: number;
    timestepPower?: number;
    warmupSteps: number;
    resolution?: number;
    seed: number;
    trainImages: string;
    fit: 'crop' | 'stretch';
    partFill: 'grey' | 'black';
    flips: boolean;
    textEncoder: boolean;
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
    scheduler: (typeof schedulers)[number];
    sampleBatchSize: number;
    negativePrompt: string;
    seed: number;
    resolution?: number;
    resume?: boolean;
}
/** Flags of `mask` as commander gives them. */
export interface MaskFlags {
    mask: 'u2net' | 'threshold' | 'none';
    weights?: string;
    maskThreshold?: number;
}
export interface TrainedType {
    trainer: Trainer;
    losses: TrainStep[];
    seconds: number;
}
export declare function trainType(model: DualAnoDiff, dataset: Dataset, type: string, out: string, flags: TrainFlags, signal: AbortSignal, io: Console): Promise<TrainedType>;
/** The masker that the flags ask for; undefined for none. */
export declare function makeMasker(flags: MaskFlags, partFill: 'grey' | 'black', device: string): Promise<Masker | undefined>;
export interface Generated {
    writer: PairWriter;
    emptyMasks: number;
    seconds: number;
}
export declare function samplePairs(model: DualAnoDiff, adapter: string, out: string, count: number, flags: SampleFlags & MaskFlags, device: string, signal: AbortSignal, io: Console, fallbackType?: string): Promise<Generated>;
