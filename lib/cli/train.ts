import type { Command } from 'commander';
import { Dataset } from '../dataset/dataset.js';
import { addBaseOptions, type BaseFlags, loadBase } from './base.js';
import { addForegroundOptions, addTrainOptions } from './options.js';
import type { Runner } from './runner.js';
import { type TrainFlags, trainType } from './stages.js';

interface Flags extends BaseFlags, TrainFlags {
  data: string;
  type: string;
  out: string;
}

export function addTrain(program: Command, runner: Runner): void {
  const command = program
    .command('train')
    .description('learn one defect type from a few images')
    .requiredOption('--data <dir>', "category folder in MVTec AD's layout")
    .requiredOption('--type <name>', 'defect type')
    .requiredOption('--out <file>', 'adapter to write (.safetensors)')
    .option('--resume', 'continue from the newest checkpoint');
  addForegroundOptions(addTrainOptions(addBaseOptions(command)));
  runner.attach(command, async (flags: Flags, { signal, io }) => {
    const dataset = await Dataset.open(flags.data);
    await dataset.examples(flags.type); // a wrong type is an error before the model is read
    await using model = await loadBase(flags, { signal, io });
    const { trainer, losses, seconds } = await trainType(model, dataset, flags.type, flags.out, flags, signal, io);
    await trainer.dispose();
    const { skippedSteps = 0 } = losses.at(-1) ?? {};
    const skipped = skippedSteps > 0 ? `, ${skippedSteps} of ${losses.length} steps skipped over float16 overflow` : '';
    io.result(`wrote ${flags.out} in ${seconds.toFixed(1)} s${skipped}`, {
      adapter: flags.out,
      steps: losses.length,
      firstLoss: losses[0]?.loss,
      lastLoss: losses.at(-1)?.loss,
      ...(skippedSteps > 0 && { skippedSteps }),
      seconds,
    });
  });
}
