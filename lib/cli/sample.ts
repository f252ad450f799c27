import { resolve } from 'node:path';
import type { Command } from 'commander';
import { InvalidOptionError } from '../core/errors.js';
import { lockFolder } from '../core/write-lock.js';
import { Dataset } from '../dataset/dataset.js';
import { runNative } from '../run-native.js';
import { addBaseOptions, type BaseFlags, loadBase } from './base.js';
import { keepRule, type MaskFlags } from './masks.js';
import { addMaskOptions, addSampleOptions, number } from './options.js';
import type { Runner } from './runner.js';
import { layoutOptions, type SampleFlags, samplePairs } from './stages.js';

interface Flags extends BaseFlags, SampleFlags, MaskFlags {
  adapter: string;
  out: string;
  count: number;
  batchSize: number;
  data?: string;
  type?: string;
  trainImages: string;
}

/** The real pairs and good images that variations start from. */
async function realPairs({ data, type, trainImages, adapter, vary }: Flags) {
  if (vary === undefined || data === undefined) return {};
  const dataset = await Dataset.open(data);
  const readType = async () =>
    (await runNative({}, (engine, task) => engine.readMetadata(resolve(adapter), task))).type;
  const name = type ?? (await readType());
  if (name === undefined) throw new InvalidOptionError('The adapter does not say its defect type: name it with --type');
  return { examples: await dataset.trainingExamples(name, trainImages), goodImages: await dataset.goodImages() };
}

export function addSample(program: Command, runner: Runner): void {
  const command = program
    .command('sample')
    .description('draw pairs and their masks from an adapter')
    .requiredOption('--adapter <file>', 'adapter, own or published')
    .requiredOption('--out <dir>', 'folder for the generated dataset')
    .requiredOption('--count <n>', 'pairs in all', number)
    .option('--seed <n>', 'seed of the pairs', number, 0)
    .option('--resolution <n>', 'pixels along each side (default: as trained)', number)
    .option('--batch-size <n>', 'pairs drawn at once', number, 4)
    .option('--global-prompt <text>', 'prompt of the whole image (default: as trained)')
    .option('--anomaly-prompt <text>', 'prompt of the anomaly part (default: as trained)')
    .option('--background-scaled', "scale background latents by the VAE's factor (default: as trained)")
    .option('--no-background-scaled', 'do not, as published')
    .option('--data <dir>', 'category folder of the real pairs that --vary starts from')
    .option('--type <name>', 'their defect type (default: what the adapter was trained on)')
    .option('--train-images <n>', 'how many of them: N or a/b, the first by name; a/b@k: the k-th such part', '1/3')
    .option('--resume', 'keep the pairs that are there');
  addMaskOptions(addSampleOptions(addBaseOptions(command), '--steps <n>'));
  runner.attach(command, async (flags: Flags, { signal, io }) => {
    keepRule(flags); // wrong flags are an error before the model is read
    layoutOptions(flags);
    await using lock = await lockFolder(flags.out); // before the model is read: another process may be writing to it
    await using model = await loadBase(flags, { signal, io });
    const sampleFlags = { ...flags, sampleBatchSize: flags.batchSize };
    const { adapter, out, count, device } = flags;
    const sampling = { adapter, out, count, flags: sampleFlags, device, lock, ...(await realPairs(flags)) };
    const { writer, emptyMasks, dropped, seconds } = await samplePairs(model, sampling, signal, io);
    io.result(
      `${writer.kept.length} pairs in ${writer.folder}, ${emptyMasks} with an empty mask, ${dropped} dropped, in ${seconds.toFixed(1)} s`,
      { out: writer.folder, pairs: writer.kept.length, emptyMasks, dropped, seconds },
    );
  });
}
