import { type Example } from '../dataset/dataset.js';
import type { baselines } from '../options/schemas.js';
/** One way to get defects to train on: a row of the table. */
export interface Row {
    name: string;
    source: 'pairs' | 'crop-paste' | 'draem';
    /** Whether the real training pairs are among the defects. */
    real: boolean;
    /** Generated pairs among the defects: one set for all seeds, or one for each. */
    generated?: GeneratedSet[];
}
/** Folders of generated pairs, by defect type. */
export interface GeneratedSet {
    folder: string;
    types: Map<string, Example[]>;
}
/** The table's rows: the baselines, then generated sets of a name alone and together with the real pairs. */
export declare function makeRows(compare: readonly (typeof baselines)[number][], generated: Readonly<Record<string, string | string[]>>, { withReal, seeds }: {
    withReal: boolean;
    seeds: number;
}, types: readonly string[]): Promise<Row[]>;
