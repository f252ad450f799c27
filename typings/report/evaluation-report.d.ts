import type { Evaluation, Evaluator } from '../evaluate/evaluator.js';
/** Writes the evaluation's report: the table, its plot, the cases at both ends, and generated images beside real ones. */
export declare function writeEvaluationReport(path: string, evaluator: Evaluator, evaluation: Evaluation, folder: string): Promise<void>;
