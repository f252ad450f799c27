import { Pool } from '../pool.js';
import type { Row } from './rows.js';
import type { Split } from './split.js';
/** What runs of one row learn from. */
export interface RowDefects {
    pool: Pool;
    /** Generated pairs left out because their masks are empty: they show no defect. */
    emptyMasks: number;
}
/** The defects of rows, loaded when the first run starts that learns from them, and disposed of after the last. */
export declare class RowPools {
    #private;
    readonly split: Split;
    readonly size: number;
    /** Of each row. */
    readonly runs: number;
    constructor(split: Split, size: number, 
    /** Of each row. */
    runs: number);
    /** Gives `run` the defects of a row's seed, of which `index` counts. */
    lend<R>({ name, real, generated }: Row, index: number, run: (defects: RowDefects) => Promise<R>): Promise<R>;
    /** Of rows whose runs did not all come to their end. */
    dispose(): Promise<void>;
}
