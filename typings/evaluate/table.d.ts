import type { Evaluation } from './evaluator.js';
import type { Quality } from './quality.js';
import { type Measure } from './scores.js';
/** One cell of the table over the seeds of its row. */
export interface Cell {
    /** 0 to 1; null where no seed has a value. */
    mean: number | null;
    /** Of the seeds, divided by their number less one; null for fewer than two. */
    deviation: number | null;
    values: (number | null)[];
}
/** One line of the table: a row of the evaluation on one type, on their average, or on all images together. */
export interface Line {
    type: string;
    row: string;
    cells: Record<Measure, Cell>;
}
export declare const AVERAGE = "average";
export declare const TOGETHER = "together";
/** The table's lines: for each type, then for the average of the types and for all images together, every row. */
export declare function tableOf({ types, rows, runs }: Evaluation): Line[];
/** As in `41.2 ± 1.3`, per cent; `-` where there is nothing. */
export declare function cellText({ mean: value, deviation }: Cell): string;
export declare function markdownTable(lines: readonly Line[]): string;
/** What generated sets are like, as a second table; none where nothing was measured. */
export declare function qualityTable(quality: readonly Quality[]): string[];
/** A line for each cell: type, row, measure, mean, deviation, and the values of the seeds separated by spaces. */
export declare function csvTable(lines: readonly Line[]): string;
