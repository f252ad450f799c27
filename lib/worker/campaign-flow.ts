/**
 * Runs campaigns as flows. The campaign of one or many categories waits for one campaign of each type of each category,
 * and that of a type for the job that learns it and then for those that make its pairs. Parts have identifiers of their
 * contents, so that a second campaign does only what is missing.
 */
import type { Job as BullJob } from 'bullmq';
import { AbortedError, DualAnoDiffError } from '../core/errors.js';
import type { CampaignFailure } from '../jobs/failure.js';
import { checkRequest } from '../options/requests.js';
import type { BullQueue } from '../queue/bull-queue.js';
import type { JobData } from '../queue/job-data.js';
import { type AssignedJob, hasEnded, type Job, type JobFailure } from '../queue/job-queue.js';
import { publishResult, readResult } from '../store/results.js';
import type { Store } from '../store/store.js';
import { type CampaignFacts, factsSchema } from './campaign-facts.js';
import { fetchParts } from './campaign-files.js';
import { type CampaignPart, isDivisible, learnPart, pairParts, typePart } from './campaign-plan.js';

export interface FlowSettings {
  queue: BullQueue;
  store: Store;
  pairsPerPart: number;
  /** Finds out what a campaign consists of. */
  factsOf(job: AssignedJob): Promise<CampaignFacts>;
}

/** What the worker does next with a campaign. */
export type FlowStep =
  /** Other jobs must end first. The campaign has left the worker. */
  | { next: 'wait' }
  /** The job runs. A campaign first gets the results of its parts. */
  | { next: 'run'; prepare?: (folder: string) => Promise<void> }
  /** The campaign is completed. */
  | { next: 'complete'; result: object };

const CANCELLED: JobFailure = { code: 'ERR_ABORTED', message: 'it was cancelled' };

/** Another campaign makes a part of this one. It is looked at again after this time. */
const LOOK_AGAIN_MS = 2000;

/** Takes the next step of a job, of which only campaigns have several. Throws the error of a part without which the campaign cannot go on. */
export async function nextStep(
  bullJob: BullJob<JobData>,
  token: string,
  job: AssignedJob,
  settings: FlowSettings,
): Promise<FlowStep> {
  if (job.kind !== 'campaign') return { next: 'run' };
  checkRequest(job.kind, job.options);
  const isOfType = job.options.type !== undefined;
  if (isOfType && !isDivisible(job.options)) return { next: 'run' };
  // A part has the fingerprint of the base from the campaign that it belongs to.
  const { fingerprint: own } = bullJob.data;
  const facts =
    isOfType && own !== undefined
      ? { failures: [] }
      : factsSchema.parse(await settings.queue.once(job.id, () => settings.factsOf(job)));
  const campaign = { ...job, fingerprint: own ?? facts.fingerprint };
  if (isOfType) return typeStep(bullJob, token, campaign, settings);
  if (facts.categories === undefined) return { next: 'run' };
  const members = facts.categories.flatMap((one) => one.types.map((type) => ({ ...one, type })));
  const parts = members.map(({ data, digest, type }) => {
    const datasets = digest === undefined ? campaign.datasets : { [data]: digest };
    return typePart({ ...campaign, options: { ...campaign.options, data }, datasets }, type);
  });
  const ended = await endedParts(bullJob, token, job, parts, settings);
  if (!ended) return { next: 'wait' };
  return { next: 'complete', result: await summarize(job, members, facts.failures, ended, settings.store) };
}

async function typeStep(
  bullJob: BullJob<JobData>,
  token: string,
  job: AssignedJob & Pick<CampaignPart, 'fingerprint'>,
  settings: FlowSettings,
): Promise<FlowStep> {
  const learn = learnPart(job);
  const learned = await endedParts(bullJob, token, job, [learn], settings);
  if (!learned) return { next: 'wait' };
  requireCompleted(learned);
  const parts = pairParts(job, learn.id, settings.pairsPerPart);
  const ended = await endedParts(bullJob, token, job, parts, settings);
  if (!ended) return { next: 'wait' };
  // If no defect became visible in one part, there are still the others.
  const useful = ended.filter(({ error }) => error?.code !== 'ERR_NO_PAIRS');
  requireCompleted(useful);
  const made = { learned: learn.id, pairs: useful.map(({ id }) => id) };
  const type = job.options.type as string;
  return { next: 'run', prepare: (folder) => fetchParts(settings.store, made, folder, type) };
}

/** Returns the parts if all of them have ended. Otherwise, the campaign leaves the worker until they have. */
async function endedParts(
  bullJob: BullJob<JobData>,
  token: string,
  { id, priority }: AssignedJob,
  parts: readonly CampaignPart[],
  { queue, store }: FlowSettings,
): Promise<Job[] | undefined> {
  for (const { id: partId, ...request } of parts) {
    const data = { ...request, priority, parent: id };
    await queue.addPart(bullJob, partId, data, async () => (await readResult(store, partId)) !== undefined);
  }
  // Who cancelled the campaign meanwhile has not seen the parts that were added afterwards.
  if (await queue.isCancelled(id)) {
    await queue.cancelParts(id);
    throw new AbortedError();
  }
  if (await bullJob.moveToWaitingChildren(token)) return undefined;
  const jobs = await Promise.all(parts.map((part) => queue.get(part.id)));
  if (jobs.every(hasEnded)) return jobs;
  await bullJob.moveToDelayed(Date.now() + LOOK_AGAIN_MS, token);
  return undefined;
}

function requireCompleted(jobs: readonly Job[]): void {
  const failed = jobs.find(({ state }) => state !== 'completed');
  if (!failed) return;
  const { code, message } = failed.error ?? CANCELLED;
  throw new DualAnoDiffError(`The job ${failed.id} (${failed.kind}) of this campaign ended: ${message}`, code);
}

/** Makes the result of a campaign of several types, and publishes it. */
async function summarize(
  job: AssignedJob,
  members: readonly { category: string; type: string }[],
  unopened: readonly CampaignFailure[],
  ended: readonly Job[],
  store: Store,
): Promise<object> {
  const made: object[] = [];
  const failures: (CampaignFailure & { job?: string })[] = [...unopened];
  for (const [i, { id, state, result, error }] of ended.entries()) {
    const { category, type } = members[i] as { category: string; type: string };
    if (state === 'completed') made.push(...(result as { types: object[] }).types.map((one) => ({ ...one, job: id })));
    else failures.push({ category, type, job: id, ...(error ?? CANCELLED) });
  }
  const [first] = failures;
  if (made.length === 0 && first) throw new DualAnoDiffError(first.message, first.code);
  const result = { types: made, failures };
  await publishResult(store, job.id, { kind: job.kind, result, files: [] });
  return result;
}
