import type { z } from 'zod';
import { type Example } from './dataset/dataset.js';
import { layoutsSchema } from './options/schemas.js';
/**
 * Options of {@link Layouts.create}.
 * @interface
 */
export type LayoutsOptions = z.input<typeof layoutsSchema>;
/** Throws ERR_INVALID_OPTION where it is said how to paste and nothing is pasted. */
export declare function refuseIdlePaste({ pasteOnDefects, pasteTurns, pasteShare, smallPasteShare, thinPasteShare, }: Omit<z.output<typeof layoutsSchema>, 'resolution' | 'fit' | 'seed'>): void;
/**
 * Where variations of real pairs start: each a real defect, in its own image or moved, bent and scaled onto a good one.
 * The sampler noises it by `strength` and draws it anew (SDEdit, arXiv 2108.01073).
 *
 * @example
 * const dataset = await Dataset.open('tile');
 * const examples = await dataset.trainingExamples('crack', '1/3');
 * await using layouts = await Layouts.create(examples, await dataset.goodImages(), { resolution: 256 });
 * for await (const pair of sampler.sample({ count: 100, layouts, strength: 0.4, scheduler: 'ddim' })) …
 */
export declare class Layouts {
    readonly resolution: number;
    /** The shares in which a defect keeps its own image, where it is large and where it is small. */
    readonly ownShare: number;
    readonly smallOwnShare: number;
    /** The shares of all layouts in which it is pasted as it is, where it is large, where it is small, and where it is a thin line. */
    readonly pasteShare: number;
    readonly smallPasteShare: number;
    readonly thinPasteShare: number;
    /** Whether that is onto real images with a defect, not onto good ones. */
    readonly pasteOnDefects: boolean;
    /** Whether it is turned by quarters, too. */
    readonly pasteTurns: boolean;
    /** How much the light on them varies, where the defect is large and where it is small. */
    readonly lightSpread: number;
    readonly smallLightSpread: number;
    /** How much their exposure varies. */
    readonly exposureSpread: number;
    /** Multiplies how much a moved defect stands out. */
    readonly movedContrast: number;
    private handle;
    private constructor();
    /** Decodes the images. Throws ERR_DATASET_INVALID naming the file that cannot be used, and ERR_INVALID_OPTION. */
    static create(examples: readonly Example[], goodImages: readonly string[], options: LayoutsOptions): Promise<Layouts>;
    /** Frees the images. May be called twice; a sampler that draws from them must be done. */
    dispose(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}
