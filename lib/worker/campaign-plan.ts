/** Divides a campaign into jobs that several workers can do: learning one type, and shares of its pairs. */
import { createHash } from 'node:crypto';
import { checkOptions } from '../options/check.js';
import { campaignSchema } from '../options/jobs.js';
import type { Job, JobRequest } from '../queue/job-queue.js';

type Options = Readonly<Record<string, unknown>>;
type CampaignRequest = Pick<Job, 'options' | 'datasets'> & Pick<CampaignPart, 'fingerprint'>;

/** A part of a campaign, with the identifier that any campaign with the same part gives to it. */
export interface CampaignPart extends JobRequest {
  id: string;
  datasets: Record<string, string>;
  /** The fingerprint of the base, which several machines may have under one name. */
  fingerprint?: string | undefined;
}

const BASE = ['base', 'predictionType', 'device', 'dtype'];
const TRAINING = [
  ...['resolution', 'window', 'fit', 'rank', 'learningRate', 'partFill', 'background', 'gradientCheckpointing'],
  ...['globalPrompt', 'anomalyPrompt', 'seed'],
];
const SAMPLING = ['seed', 'steps', 'guidanceScale', 'scheduler', 'batchSize'];

const pick = (options: Options, names: readonly string[]) =>
  Object.fromEntries(Object.entries(options).filter(([name, value]) => names.includes(name) && value !== undefined));

/** Writes a value as JSON in which the order of names does not matter. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, one) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}

/** Gives a part its identifier, which depends on its kind, its options, and the contents of its datasets and its base. */
function partOf(
  kind: JobRequest['kind'],
  options: Record<string, unknown>,
  { datasets: all, fingerprint }: CampaignRequest,
): CampaignPart {
  const names = Object.values(options).filter((value) => typeof value === 'string' && Object.hasOwn(all, value));
  const datasets = pick(all, names as string[]) as Record<string, string>;
  const id = createHash('sha256')
    .update(canonical({ kind, options, datasets, fingerprint }))
    .digest('hex')
    .slice(0, 32);
  return { kind, options, datasets, id, ...(fingerprint !== undefined && { fingerprint }) };
}

/** Returns the campaign of one type of a campaign of all types. */
export const typePart = (campaign: CampaignRequest, type: string): CampaignPart =>
  partOf('campaign', { ...campaign.options, type }, campaign);

/**
 * Returns true if the pairs of a campaign can be shared out. The recipe augment takes seconds, and background
 * compensation shares its backgrounds among the pairs.
 */
export function isDivisible(options: Options): boolean {
  const { recipe, background } = checkOptions(campaignSchema, options);
  return recipe !== 'augment' && background === 'off';
}

/** A type has at most this number of jobs that make its pairs, so that no number of pairs fills Redis with jobs. */
export const MAX_PAIR_PARTS = 1000;

/** Returns the job that learns the type of a campaign. */
export function learnPart(campaign: CampaignRequest): CampaignPart {
  const { options } = campaign;
  const { data, type, trainSteps, trainBatchSize } = options;
  const { recipe } = checkOptions(campaignSchema, options);
  const own = { data, type, recipe, steps: trainSteps, batchSize: trainBatchSize };
  return partOf('learn', { ...pick(options, [...BASE, ...TRAINING]), ...pick(own, Object.keys(own)) }, campaign);
}

/**
 * Returns the jobs that make the pairs of one type with the adapter of the job `learned`. Each makes `pairsPerPart`
 * pairs, or more if there would be too many jobs, rounded up to whole batches.
 */
export function pairParts(campaign: CampaignRequest, learned: string, pairsPerPart: number): CampaignPart[] {
  const { options } = campaign;
  const { recipe, count, batchSize } = checkOptions(campaignSchema, options);
  const { data, type } = options;
  const step = Math.ceil(Math.max(pairsPerPart, count / MAX_PAIR_PARTS) / batchSize) * batchSize;
  const own = { adapter: learned, type, ...(recipe === 'place' && { onto: data }) };
  const names = recipe === 'place' ? [...BASE, ...SAMPLING] : [...BASE, ...SAMPLING, 'resolution', 'preset', 'mask'];
  return Array.from({ length: Math.ceil(count / step) }, (_, i) => {
    const end = Math.min(count, (i + 1) * step);
    const kind = recipe === 'place' ? 'place' : 'generate';
    return partOf(kind, { ...pick(options, names), ...own, count: end, range: [i * step, end] }, campaign);
  });
}
