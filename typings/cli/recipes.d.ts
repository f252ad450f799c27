import type { Dataset } from '../dataset/dataset.js';
import type { Split } from '../evaluate/split.js';
import type { DualAnoDiff } from '../model.js';
import type { Context } from './runner.js';
/** Each recipe with what it changes of `run`'s flags for a base. Those behind the third are the paper's ablations. */
export declare const RECIPES: {
    readonly variations: () => {
        fit: "stretch";
        partFill: "auto";
        vary: number;
        scheduler: "ddim";
        mask: ("layout" | "threshold")[];
        sampleSteps: number;
    };
    /** Without the model, which is not trained either: what it adds can be told. */
    readonly layouts: () => {
        fit: "stretch";
        partFill: "auto";
        scheduler: "ddim";
        mask: ("layout" | "threshold")[];
        sampleSteps: number;
        vary: number;
        steps: number;
    };
    /** The paper's way, from noise. */
    readonly noise: () => {
        fit: "stretch";
        partFill: "auto";
        scheduler: "dpmsolver++";
        mask: "threshold"[];
        sampleSteps: number;
    };
    /** The anomaly branch has the prompt of the whole image. */
    readonly 'one-prompt': ({ globalPrompt }: Readonly<import("../model.js").TrainingDefaults>) => {
        fit: "stretch";
        partFill: "auto";
        vary: number;
        scheduler: "ddim";
        mask: ("layout" | "threshold")[];
        sampleSteps: number;
        anomalyPrompt: string;
    };
    readonly 'no-saim': () => {
        fit: "stretch";
        partFill: "auto";
        vary: number;
        scheduler: "ddim";
        mask: ("layout" | "threshold")[];
        sampleSteps: number;
        branches: "separate";
    };
    readonly 'one-branch': () => {
        fit: "stretch";
        partFill: "auto";
        vary: number;
        scheduler: "ddim";
        mask: ("layout" | "threshold")[];
        sampleSteps: number;
        branches: "one";
    };
    readonly background: () => {
        fit: "stretch";
        partFill: "auto";
        vary: number;
        scheduler: "ddim";
        mask: ("layout" | "threshold")[];
        sampleSteps: number;
        background: "add";
        foregroundMasks: string;
    };
};
export type RecipeName = keyof typeof RECIPES;
export declare const recipeNames: RecipeName[];
export interface Recipe {
    name: RecipeName;
    /** Pairs of each type. */
    count: number;
    /** Of their adapters; undefined: as the recipe says. */
    trainSteps: number | undefined;
    seed: number;
    /** Pixels along each side of what is to learn from them; a base that works at more makes them larger. */
    side: number;
    device: string;
}
/**
 * Makes a recipe's pairs of every type of a split in `out`, from the images that train there. Goes on where an earlier
 * process was cut off.
 */
export declare function generate(model: DualAnoDiff, dataset: Dataset, { training, share }: Split, { name, count, trainSteps, seed, side, device }: Recipe, out: string, context: Context): Promise<void>;
/** Where a recipe's pairs are kept below an evaluation's folder. */
export declare const recipeFolder: (out: string, name: RecipeName) => string;
