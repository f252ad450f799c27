import type { RawImage } from '../image.js';
import { type Fit } from './fit.js';
import { type ForegroundSource } from './foreground.js';
import type { Kernel } from './image-file.js';
/** One image of a defect with its mask. */
export interface Example {
    /** The file's name without its ending, in Unicode's composed form (NFC). */
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
/**
 * A category folder in MVTec AD's layout: `train/good`, `test/<type>`, `ground_truth/<type>/<name>_mask.png`.
 *
 * @example
 * const dataset = await Dataset.open('bottle');
 * console.log(dataset.types);
 */
export declare class Dataset {
    #private;
    /** The folder. */
    readonly folder: string;
    /** The category: the folder's name, in NFC. */
    readonly category: string;
    /** The defect types in NFC, sorted by name. */
    readonly types: readonly string[];
    private constructor();
    /** Throws ERR_DATASET_INVALID where the folder is missing or holds no defect type. */
    static open(folder: string): Promise<Dataset>;
    /** The folders of the categories of a folder: itself where it is one, else those in it that are, sorted by name. */
    static categoriesIn(folder: string): Promise<string[]>;
    /** Opens the categories of a folder. Throws ERR_DATASET_INVALID where there is none. */
    static openAll(folder: string): Promise<Dataset[]>;
    /**
     * Every image of a type, sorted by name. Throws ERR_DATASET_INVALID naming the types that there are, or images or
     * masks that share a name. Masks without an image are named in a warning.
     */
    examples(type: string): Promise<Example[]>;
    /** The good images of `train/good` and of the folders in it, sorted by path; none where it is missing. */
    goodImages(): Promise<string[]>;
    /**
     * The images of a type that train, by name: the first so many, or a fraction `a/b` (rounded down, at least one); with
     * `@k` behind it, the k-th such part. The rest is for testing; those of it without a mask are named in a warning.
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
