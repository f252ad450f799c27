import type { RawImage } from '../image.js';
import { type Fit } from './fit.js';
import { type ForegroundSource } from './foreground.js';
import { type Kernel } from './image-file.js';
/** One image of a defect with its mask. */
export interface Example {
    /** The file's name without its ending. */
    name: string;
    image: string;
    mask: string;
}
/** An example as squares of one size. */
export interface LoadedExample extends Example {
    pixels: RawImage;
    /** One channel of 0 and 255. */
    maskPixels: RawImage;
    /** One channel of 0 and 255, where foregrounds were asked for. */
    foregroundPixels?: RawImage;
}
/** The names of the folders in a folder, links to folders among them, sorted. */
export declare function foldersIn(folder: string): Promise<string[]>;
/** The image files of a folder, sorted by name. */
export declare function imagesIn(folder: string): Promise<string[]>;
/**
 * A category folder in MVTec AD's layout: `train/good`, `test/<type>`, `ground_truth/<type>/<name>_mask.png`.
 *
 * @example
 * const dataset = await Dataset.open('bottle');
 * console.log(dataset.types);
 */
export declare class Dataset {
    /** The folder. */
    readonly folder: string;
    /** The category: the folder's name. */
    readonly category: string;
    /** The defect types, sorted by name. */
    readonly types: readonly string[];
    private constructor();
    /** Throws ERR_DATASET_INVALID where the folder is missing or holds no defect type. */
    static open(folder: string): Promise<Dataset>;
    /**
     * The categories of a folder: itself where it is one, else the folders in it that are, sorted by name.
     * Throws ERR_DATASET_INVALID where there is none.
     */
    static openAll(folder: string): Promise<Dataset[]>;
    /** Every image of a type, sorted by name. Throws ERR_DATASET_INVALID naming the types that there are. */
    examples(type: string): Promise<Example[]>;
    /** The good images of `train/good`, sorted by name. */
    goodImages(): Promise<string[]>;
    /**
     * The images of a type that train, by name: the first so many, or a fraction `a/b` (rounded down, at least one); with
     * `@k` behind it, the k-th so many. The rest is for testing.
     */
    trainingExamples(type: string, share: number | string): Promise<Example[]>;
    /**
     * Decodes examples to squares of `resolution`, with their foregrounds where a source of them is given. Images are
     * resized by `kernel`, `linear` by default as published; masks always linearly.
     * Throws ERR_DATASET_INVALID naming the file and what is wrong.
     */
    static load(examples: Example[], resolution: number, fit: Fit, foregrounds?: ForegroundSource, kernel?: Kernel): Promise<LoadedExample[]>;
}
/** Tells sets of training pictures apart: a digest of every pixel, mask and foreground. */
export declare function digestOf(examples: LoadedExample[]): string;
