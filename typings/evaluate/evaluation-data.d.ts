import { Pool } from '../pool.js';
import type { Row } from './rows.js';
import type { Split } from './split.js';
import { type NamedSquare } from './squares.js';
/** What one row learns from. */
export interface RowDefects {
    pool: Pool;
    /** Generated pairs left out because their masks are empty: they show no defect. */
    emptyMasks: number;
}
/** Everything that an evaluation looks at, decoded, but for the defects of a row. */
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
    /** The defects of a row, for the caller to dispose of. */
    static loadRow(row: Row, { training }: Split, size: number): Promise<RowDefects>;
    dispose(): void;
}
