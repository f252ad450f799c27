/** Ways of making pairs that `evaluate --generate` judges. */
import type { Dataset } from '../dataset/dataset.js';
import type { Split } from '../evaluate/split.js';
import type { DualAnoDiff } from '../model.js';
import { type RunFlags } from './run-type.js';
import type { Context } from './runner.js';
type Defaults = DualAnoDiff['defaults'];
/** Each recipe with what it changes of `run`'s flags for a base. Those behind `noise` are the paper's ablations. */
export declare const RECIPES: Record<"background" | "layouts" | "mixed" | "no-saim" | "noise" | "one-branch" | "one-prompt" | "pasted" | "variations", (defaults: Defaults) => Partial<RunFlags>>;
export type RecipeName = keyof typeof RECIPES;
export declare const recipeNames: RecipeName[];
export interface Recipe {
    name: RecipeName;
    /** Pairs of each type. */
    count: number;
    /** Of their adapters; undefined: as the recipe says. */
    trainSteps: number | undefined;
    /**
     * Of the first type; each next one has the next, or the same light and places would come again with every type. Set k of
     * several goes on where set k - 1 ended.
     */
    seed: number;
    /** Which of several sets of pairs; 0 for the only one. */
    set: number;
    /** Pixels along each side of what is to learn from them; a base that works at more makes them larger. */
    side: number;
    device: string;
}
/**
 * Makes a recipe's pairs of every type of a split in `out`, from the images that train there. Goes on where an earlier
 * process was cut off.
 */
export declare function generate(model: DualAnoDiff, dataset: Dataset, { training, share }: Split, { name, count, trainSteps, seed, set, side, device }: Recipe, out: string, context: Context): Promise<void>;
/** Where a recipe's pairs are kept below an evaluation's folder: those of all seeds, or of one. */
export declare const recipeFolder: (out: string, name: RecipeName, seed?: number) => string;
export {};
