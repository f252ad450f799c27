import type { Dataset } from '../dataset/dataset.js';
import type { Split } from '../evaluate/split.js';
import type { DualAnoDiff } from '../model.js';
import type { Context } from './runner.js';
/** Each recipe with what it changes of `run`'s flags. Those behind the third are the paper's ablations. */
export declare const RECIPES: {
    readonly variations: {
        fit: "stretch";
        partFill: "auto";
        vary: number;
        scheduler: "ddim";
        mask: ("layout" | "threshold")[];
        sampleSteps: number;
    };
    /** Without the model, which is not trained either: what it adds can be told. */
    readonly layouts: {
        readonly fit: "stretch";
        readonly partFill: "auto";
        readonly scheduler: "ddim";
        readonly mask: ("layout" | "threshold")[];
        readonly sampleSteps: number;
        readonly vary: 0;
        readonly steps: 1;
    };
    /** The paper's way, from noise. */
    readonly noise: {
        readonly fit: "stretch";
        readonly partFill: "auto";
        readonly scheduler: "dpmsolver++";
        readonly mask: "threshold"[];
        readonly sampleSteps: number;
    };
    /** The anomaly branch has the prompt of the whole image. */
    readonly 'one-prompt': {
        fit: "stretch";
        partFill: "auto";
        vary: number;
        scheduler: "ddim";
        mask: ("layout" | "threshold")[];
        sampleSteps: number;
    };
    readonly 'no-saim': {
        readonly fit: "stretch";
        readonly partFill: "auto";
        readonly vary: number;
        readonly scheduler: "ddim";
        readonly mask: ("layout" | "threshold")[];
        readonly sampleSteps: number;
        readonly branches: 'separate';
    };
    readonly 'one-branch': {
        readonly fit: "stretch";
        readonly partFill: "auto";
        readonly vary: number;
        readonly scheduler: "ddim";
        readonly mask: ("layout" | "threshold")[];
        readonly sampleSteps: number;
        readonly branches: 'one';
    };
    readonly background: {
        readonly fit: "stretch";
        readonly partFill: "auto";
        readonly vary: number;
        readonly scheduler: "ddim";
        readonly mask: ("layout" | "threshold")[];
        readonly sampleSteps: number;
        readonly background: 'add';
        readonly foregroundMasks: 'none';
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
