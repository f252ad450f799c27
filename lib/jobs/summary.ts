/** Keeps the summary of the campaigns in a folder. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../core/files.js';
import { readJson } from '../core/json-files.js';
import type { CampaignFailure } from './failure.js';
import type { TypeResult } from './run-type.js';

/** A campaign writes this file beside its types. */
export const SUMMARY = 'summary.json';

/** A type that a campaign made, with its category. */
export type CampaignType = TypeResult & { category: string };

interface Summary {
  types: CampaignType[];
  failures: CampaignFailure[];
}

const member = z.looseObject({ category: z.string(), type: z.string().optional() });
const schema = z.looseObject({ types: z.array(member), failures: z.array(member) });

/**
 * Writes the results of a campaign. Results of other types that earlier campaigns left in the folder stay in the file.
 * Throws ERR_FILE_ACCESS if the file that is there cannot be read.
 */
export async function writeSummary(out: string, { types, failures }: Summary): Promise<void> {
  const file = join(out, SUMMARY);
  const isNew = ({ category, type }: { category: string; type?: string | undefined }) =>
    [...types, ...failures].some((one) => one.category === category && one.type === type);
  const before = existsSync(file) ? await readJson(file, schema) : { types: [], failures: [] };
  const summary = {
    out,
    types: [...before.types.filter((one) => !isNew(one)), ...types],
    failures: [...before.failures.filter((one) => !isNew(one)), ...failures],
  };
  await writeFileAtomic(file, `${JSON.stringify(summary, undefined, 2)}\n`);
}
