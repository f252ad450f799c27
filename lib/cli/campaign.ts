/** Many types one after the other: one that fails is noted, and the others go on. */
import { join } from 'node:path';
import type { Dataset } from '../dataset/dataset.js';
import { AbortedError, DualAnoDiffError } from '../errors.js';
import { writeFileAtomic } from '../files.js';
import type { DualAnoDiff } from '../model.js';
import { describeRun, type RunFlags, type RunSummary, runType } from './run-type.js';
import type { Context } from './runner.js';

/** One type of one category, and the folder of its category. */
export interface CampaignJob {
  dataset: Dataset;
  type: string;
  out: string;
}

export interface CampaignFailure {
  category: string;
  type: string;
  code: string;
  message: string;
}

export interface Campaign {
  types: (RunSummary & { category: string })[];
  failures: CampaignFailure[];
}

/**
 * Runs the jobs in turn and writes `summary.json` below `out` after each, so that a night that ends early has one too.
 * With one job its error is the caller's; with several, errors of ours are collected. An abort ends the campaign.
 */
export async function runCampaign(
  model: DualAnoDiff,
  jobs: readonly CampaignJob[],
  out: string,
  flags: RunFlags,
  context: Context,
): Promise<Campaign> {
  const campaign: Campaign = { types: [], failures: [] };
  for (const { dataset, type, out: folder } of jobs) {
    const { category } = dataset;
    try {
      campaign.types.push({ category, ...(await runType(model, dataset, type, folder, flags, context)) });
    } catch (error) {
      if (jobs.length === 1 || !(error instanceof DualAnoDiffError) || error instanceof AbortedError) throw error;
      const { code, message } = error;
      campaign.failures.push({ category, type, code, message });
      context.io.warn(`${category} ${type}: ${message} (${code})`);
    }
    await writeFileAtomic(join(out, 'summary.json'), `${JSON.stringify(campaign, undefined, 2)}\n`);
  }
  return campaign;
}

/** The campaign for people. */
export function describeCampaign({ types, failures }: Campaign): string {
  const failed = failures.map(({ category, type, message }) => `${category} ${type} failed: ${message}`);
  return [...types.map(describeRun), ...failed].join('\n');
}
