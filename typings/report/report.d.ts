import type { LoadedExample } from '../dataset/dataset.js';
import type { PairWriter } from '../dataset/pair-writer.js';
import { type LossPoint } from './chart.js';
/** What a report shows. */
export interface ReportInput {
    title: string;
    examples: readonly LoadedExample[];
    losses: readonly LossPoint[];
    writer: PairWriter;
    /** Names and values, in order. */
    settings: Record<string, unknown>;
    /** Seconds, by what took them. */
    times: Record<string, number>;
}
/** Writes one HTML file that needs nothing else: images are inside it. */
export declare function writeReport(path: string, input: ReportInput): Promise<void>;
