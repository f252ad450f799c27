import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { removePartialFiles } from '../core/partial-files.js';
import { pathInside } from '../core/path-inside.js';
import { lockFolder } from '../core/write-lock.js';
import { Dataset } from '../dataset/dataset.js';
import { given } from '../options/check.js';
import { addBaseOptions, type BaseFlags, loadBase } from './base.js';
import {
  type CampaignFailure,
  type CampaignJob,
  describeCampaign,
  failureOf,
  runCampaign,
  SUMMARY,
} from './campaign.js';
import { keepRule } from './masks.js';
import { addMaskOptions, addSampleOptions, addTrainOptions, number } from './options.js';
import type { RunFlags } from './run-type.js';
import { EXIT, type Runner } from './runner.js';
import { layoutOptions } from './stages.js';

interface Flags extends BaseFlags, RunFlags {
  device: string;
  data: string;
  type?: string;
  out?: string;
}

/**
 * Opens what there is to run. Of several categories, one that cannot be opened, or has not the type, is a failure like any
 * other; where it is the only one, or all are like that, it is an error before the model is read.
 */
async function openCategories({ data, type }: Pick<Flags, 'data' | 'type'>) {
  const folders = await Dataset.categoriesIn(data);
  const categories: Dataset[] = [];
  const failures: CampaignFailure[] = [];
  let first: unknown;
  for (const folder of folders) {
    try {
      const dataset = await Dataset.open(folder);
      if (type !== undefined) await dataset.examples(type);
      categories.push(dataset);
    } catch (error) {
      first ??= error;
      failures.push(failureOf({ category: basename(folder), ...given({ type }) }, error));
    }
  }
  if (categories.length === 0) throw first;
  return { categories, failures };
}

export function addRun(program: Command, runner: Runner): void {
  const command = program
    .command('run')
    .description(
      'train, sample, mask and report: one defect type, every one of a category, or every category of a dataset',
    )
    .requiredOption('--data <dir>', "category folder in MVTec AD's layout, or a folder of such")
    .option('--type <name>', 'defect type (default: every one)')
    .option('--out <dir>', 'folder for everything (default: out/<name of --data>)')
    .option('--count <n>', 'pairs of each type', number, 16)
    .option('--resume', 'continue what was begun, and skip what is done');
  addMaskOptions(addSampleOptions(addTrainOptions(addBaseOptions(command)), '--sample-steps <n>'));
  command
    .option('--sample-batch-size <n>', 'pairs drawn at once', number, 4)
    .option('--sample-resolution <n>', 'pixels along each side of the pairs (default: as trained)', number);
  runner.attach(command, async (flags: Flags, context) => {
    keepRule(flags); // wrong flags are an error before the hours of training
    layoutOptions(flags);
    const { categories, failures } = await openCategories(flags);
    const out = resolve(flags.out ?? `out/${basename(resolve(flags.data))}`);
    const isOne = categories.length === 1 && categories[0]?.folder === resolve(flags.data);
    const jobs = categories.flatMap((dataset): CampaignJob[] =>
      (flags.type === undefined ? dataset.types : [flags.type.normalize('NFC')]).map((type) => ({
        dataset,
        type,
        out: isOne ? out : pathInside(out, dataset.category),
      })),
    );
    await using _lock = await lockFolder(out);
    await removePartialFiles(out, (name) => name === SUMMARY);
    await using model = await loadBase(flags, context);
    const campaign = await runCampaign(model, jobs, failures, out, flags, context);
    context.io.result(describeCampaign(campaign), { out, ...campaign });
    if (campaign.failures.length > 0) process.exitCode = EXIT.failed;
  });
}
