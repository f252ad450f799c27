/** Many types one after the other: one that fails is noted, and the others go on. */
import { join } from 'node:path';
import { AbortedError, DualAnoDiffError, InvalidOptionError } from '../core/errors.js';
import { writeFileAtomic } from '../core/files.js';
import type { Dataset } from '../dataset/dataset.js';
import type { DualAnoDiff } from '../model/dualanodiff.js';
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
  /** Absent where the category could not be opened. */
  type?: string;
  /** ERR_UNEXPECTED for what no part of this program throws on purpose. */
  code: string;
  message: string;
}

export interface Campaign {
  types: (RunSummary & { category: string })[];
  failures: CampaignFailure[];
}

/** What went wrong with one member, whatever was thrown. */
export function failureOf(member: { category: string; type?: string }, error: unknown): CampaignFailure {
  const code = error instanceof DualAnoDiffError ? error.code : 'ERR_UNEXPECTED';
  return { ...member, code, message: error instanceof Error ? error.message : String(error) };
}

/** What a campaign writes beside its types. */
export const SUMMARY = 'summary.json';

const nameOf = ({ category, type }: CampaignFailure) => (type === undefined ? category : `${category} ${type}`);

/**
 * Runs the jobs in turn and writes `summary.json` below `out` after each, so that a night that ends early has one too.
 * `failures` are of categories that could not be opened. With one job and nothing else its error is the caller's; with
 * several, errors of every class are collected. An abort ends the campaign.
 */
export async function runCampaign(
  model: DualAnoDiff,
  jobs: readonly CampaignJob[],
  failures: readonly CampaignFailure[],
  out: string,
  flags: RunFlags,
  context: Context,
): Promise<Campaign> {
  const inTheWay = jobs.find((job) => [job.out, join(job.out, job.type)].includes(join(out, SUMMARY)));
  if (inTheWay) throw new InvalidOptionError(`${out} is to hold ${SUMMARY}: a type or category cannot be called that`);
  const campaign: Campaign = { types: [], failures: [...failures] };
  const isAlone = jobs.length + failures.length === 1;
  for (const failure of failures) warn(failure, context);
  for (const { dataset, type, out: folder } of jobs) {
    const { category } = dataset;
    try {
      campaign.types.push({ category, ...(await runType(model, dataset, type, folder, flags, context)) });
    } catch (error) {
      if (isAlone || error instanceof AbortedError || context.signal.aborted) throw error;
      const failure = failureOf({ category, type }, error);
      campaign.failures.push(failure);
      warn(failure, context);
    }
    await writeFileAtomic(join(out, SUMMARY), `${JSON.stringify(campaign, undefined, 2)}\n`);
  }
  return campaign;
}

function warn(failure: CampaignFailure, { io }: Context): void {
  io.warn(`${nameOf(failure)}: ${failure.message} (${failure.code})`);
}

/** The campaign for people. */
export function describeCampaign({ types, failures }: Campaign): string {
  const failed = failures.map((failure) => `${nameOf(failure)} failed: ${failure.message}`);
  return [...types.map(describeRun), ...failed].join('\n');
}
