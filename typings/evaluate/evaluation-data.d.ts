import { Pool } from '../pool.js';
import type { Split } from './split.js';
import { type NamedSquare } from './squares.js';
/** Everything that an evaluation looks at, decoded, but for the defects of its rows. */
export declare class EvaluationData {
    readonly good: Pool;
    readonly textures: Pool | undefined;
    readonly testGood: readonly NamedSquare[];
    readonly testDefects: ReadonlyMap<string, readonly NamedSquare[]>;
    /** Tells sets of test images apart. */
    readonly testDigest: string;
    /** Tells classifiers' first weights apart; undefined where they are fresh. */
    readonly backboneDigest: string | undefined;
    private constructor();
    /** Throws ERR_DATASET_INVALID naming the file that cannot be used. */
    static load(split: Split, { textures: texturesFolder, classifierWeights, }: {
        textures?: string | undefined;
        classifierWeights?: string | undefined;
    }, size: number): Promise<EvaluationData>;
    dispose(): void;
}
