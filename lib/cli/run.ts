import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Dataset } from '../dataset/dataset.js';
import { addBaseOptions, type BaseFlags, loadBase } from './base.js';
import { keepRule } from './masks.js';
import { addMaskOptions, addSampleOptions, addTrainOptions, number } from './options.js';
import { describeRun, type RunFlags, type RunSummary, runType } from './run-type.js';
import type { Runner } from './runner.js';

interface Flags extends BaseFlags, RunFlags {
  device: string;
  data: string;
  type?: string;
  out?: string;
}

export function addRun(program: Command, runner: Runner): void {
  const command = program
    .command('run')
    .description('train, sample, mask and report: one defect type, or every one of a dataset')
    .requiredOption('--data <dir>', "category folder in MVTec AD's layout")
    .option('--type <name>', 'defect type (default: every one)')
    .option('--out <dir>', 'folder for everything (default: out/<category>)')
    .option('--count <n>', 'pairs of each type', number, 16)
    .option('--resume', 'continue what was begun');
  addMaskOptions(addSampleOptions(addTrainOptions(addBaseOptions(command)), '--sample-steps <n>'));
  command.option('--sample-batch-size <n>', 'pairs drawn at once', number, 4);
  runner.attach(command, async (flags: Flags, context) => {
    keepRule(flags); // wrong flags are an error before the hours of training
    const dataset = await Dataset.open(flags.data);
    if (flags.type !== undefined) await dataset.examples(flags.type); // a wrong type is an error before the model is read
    const types = flags.type === undefined ? dataset.types : [flags.type];
    const out = resolve(flags.out ?? `out/${dataset.category}`);
    await using model = await loadBase(flags, context);
    const summaries: RunSummary[] = [];
    for (const type of types) summaries.push(await runType(model, dataset, type, out, flags, context));
    context.io.result(summaries.map(describeRun).join('\n'), { out, types: summaries });
  });
}
