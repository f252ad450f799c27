/** Finds out what a campaign on a queue consists of, once, at its first step. */
import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { AbortedError } from '../core/errors.js';
import { Dataset } from '../dataset/dataset.js';
import { isDatasetName } from '../options/requests.js';
import { jobFailureOf } from '../queue/errors.js';
import type { AssignedJob } from '../queue/job-queue.js';
import { publishFolder } from '../store/datasets.js';
import type { Store } from '../store/store.js';

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const categorySchema = z.object({
  category: z.string(),
  /** What `data` is for the campaigns of the category's types, and the digest if it is a dataset. */
  data: z.string(),
  digest: digest.optional(),
  types: z.array(z.string()),
});
export const factsSchema = z.object({
  /** The fingerprint of the base. Campaigns without a model have none. */
  fingerprint: z.string().optional(),
  /** A campaign of one type needs no categories, and one whose categories cannot be told apart by name has none. */
  categories: z.array(categorySchema).optional(),
  /** These categories cannot be opened. */
  failures: z.array(z.object({ category: z.string(), code: z.string(), message: z.string() })).default([]),
});
export type CampaignCategory = z.output<typeof categorySchema>;
export type CampaignFacts = z.output<typeof factsSchema>;

/**
 * Describes the categories of a campaign's data, which lies at `path`. Throws the first error if no category can be
 * opened, and ERR_NOT_FOUND.
 */
export async function findCategories(
  { options, datasets }: AssignedJob,
  path: string,
  store: Store,
): Promise<Pick<CampaignFacts, 'categories' | 'failures'>> {
  const data = options.data as string;
  const folders = await Dataset.categoriesIn(path);
  if (folders.length === 1 && folders[0] === path) {
    const { category, types } = await Dataset.open(path);
    const known = Object.hasOwn(datasets, data) && { digest: datasets[data] as string };
    return { categories: [{ category, data, ...known, types: [...types] }], failures: [] };
  }
  const hasOwnData = (folder: string) =>
    dirname(folder) === path && isDatasetName(basename(folder)) && statSync(folder).isDirectory();
  if (!folders.every(hasOwnData)) return { failures: [] };
  const categories: CampaignCategory[] = [];
  const failures: CampaignFacts['failures'] = [];
  let first: unknown;
  for (const folder of folders) {
    const category = basename(folder);
    try {
      const { types } = await Dataset.open(folder);
      const whole = Object.hasOwn(datasets, data) ? (datasets[data] as string) : undefined;
      categories.push({
        ...{ category, types: [...types] },
        ...(whole === undefined
          ? { data: `${data}/${category}` }
          : { data: category, digest: await publishFolder(store, whole, category) }),
      });
    } catch (error) {
      if (error instanceof AbortedError) throw error;
      first ??= error;
      failures.push({ category, ...jobFailureOf(error) });
    }
  }
  if (categories.length === 0) throw first;
  return { categories, failures };
}
