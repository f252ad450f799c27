import type { Dataset } from '../dataset/dataset.js';
import type { DualAnoDiff } from '../model.js';
import { type RunFlags, type RunSummary } from './run-type.js';
import type { Context } from './runner.js';
/** One type of one category, and the folder of its category. */
export interface CampaignJob {
    dataset: Dataset;
    type: string;
    out: string;
}
export interface CampaignFailure {
    category: string;
    /** Absent where the category could not be opened. */
    type?: string;
    /** ERR_UNEXPECTED for what no part of this program throws on purpose. */
    code: string;
    message: string;
}
export interface Campaign {
    types: (RunSummary & {
        category: string;
    })[];
    failures: CampaignFailure[];
}
/** What went wrong with one member, whatever was thrown. */
export declare function failureOf(member: {
    category: string;
    type?: string;
}, error: unknown): CampaignFailure;
/** What a campaign writes beside its types. */
export declare const SUMMARY = "summary.json";
/**
 * Runs the jobs in turn and writes `summary.json` below `out` after each, so that a night that ends early has one too.
 * `failures` are of categories that could not be opened. With one job and nothing else its error is the caller's; with
 * several, errors of every class are collected. An abort ends the campaign.
 */
export declare function runCampaign(model: DualAnoDiff, jobs: readonly CampaignJob[], failures: readonly CampaignFailure[], out: string, flags: RunFlags, context: Context): Promise<Campaign>;
/** The campaign for people. */
export declare function describeCampaign({ types, failures }: Campaign): string;
