import type { z } from 'zod';
import type { NativeStep } from './addon-types.js';
import { Dataset, type LoadedExample } from './dataset/dataset.js';
import type { DualAnoDiff } from './model.js';
import { trainerSchema, trainSchema } from './options/schemas.js';
import { type Pair } from './pair.js';
import { type TaskOptions } from './run-native.js';
/**
 * Options of {@link Trainer}.
 * @interface
 */
export type TrainerOptions = z.input<typeof trainerSchema>;
/**
 * Options of {@link Trainer.train}.
 * @interface
 */
export type TrainOptions = z.input<typeof trainSchema>;
/** Options of {@link Trainer.preview}. */
export type PreviewOptions = TaskOptions & {
    steps?: number;
    guidanceScale?: number;
    seed?: number;
};
/** One optimiser update. */
export interface TrainStep extends NativeStep {
    /** Of the whole run. */
    steps: number;
    /** Wall time of this step. */
    seconds: number;
}
/**
 * The trainer's settings with nothing left open.
 * @interface
 */
export type ResolvedTraining = z.output<typeof trainerSchema> & {
    learningRate: number;
    batchSize: number;
    timestepPower: number;
    defectShare: number;
    initialAdapter: string;
    resolution: number;
    globalPrompt: string;
    anomalyPrompt: string;
};
/**
 * Trains one adapter on one defect type.
 *
 * @example
 * const trainer = new Trainer(model, { type: 'crack' });
 * for await (const step of trainer.train(dataset, { steps: 5000 })) console.log(step.step, step.loss);
 * await trainer.save('crack.safetensors');
 */
export declare class Trainer {
    #private;
    /** The training images, once `train` has begun. */
    examples: readonly LoadedExample[];
    /** Throws ERR_INVALID_OPTION. What is not given comes from the model's defaults, else from the paper. */
    constructor(model: DualAnoDiff, options: TrainerOptions);
    /** What the trainer works with, defaults filled in; once training has begun, the names in the prompts too. */
    get settings(): Readonly<ResolvedTraining>;
    /**
     * Trains up to `steps` steps in all, yielding each. With `out`, a line per step goes to `<out>.jsonl` and checkpoints
     * are written beside it; `resume` continues from the newest, and starts afresh where there is none. An abort, and a
     * loop that is left early, write a checkpoint first. The trainer has these files to itself until `save` or `dispose`.
     *
     * In float16 the loss is scaled; a step whose gradients overflow changes no weights and is counted in `skippedSteps`.
     *
     * Throws ERR_DATASET_INVALID, ERR_CHECKPOINT_MISMATCH naming the settings that differ, ERR_NON_FINITE where the results of the
     * base's encoder are not finite, ERR_NON_FINITE_LOSS with the last checkpoint kept, ERR_OUT_OF_MEMORY, ERR_BUSY where another
     * process trains into `out`. After any error of a step the trainer is as it was before that step.
     */
    train(dataset: Dataset, options?: TrainOptions): AsyncGenerator<TrainStep, void, undefined>;
    /**
     * Writes the adapter; the checkpoints of a run with this `out` are no longer needed and go. The file of a run that
     * `train` found finished is left as it is: pairs that were drawn from it know it by its digest.
     */
    save(file: string): Promise<void>;
    /** A pair from the adapter as it is now, decoded by TAESD where the model has one; training goes on as if it had not been asked for. */
    preview({ signal, ...options }?: PreviewOptions): Promise<Pair>;
    /** Frees adapter and optimiser. May be called twice. */
    dispose(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}
