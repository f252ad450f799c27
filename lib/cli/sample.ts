import type { Command } from 'commander';
import { DualAnoDiff } from '../model.js';
import { embedded } from '../paths.js';
import { addMaskOptions, addModelOptions, addSampleOptions, number } from './options.js';
import type { Runner } from './runner.js';
import { type MaskFlags, type SampleFlags, samplePairs } from './stages.js';

interface Flags extends SampleFlags, MaskFlags {
  base?: string;
  device: string;
  dtype: 'auto';
  adapter: string;
  out: string;
  count: number;
  batchSize: number;
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
    .option('--resume', 'keep the pairs that are there');
  addMaskOptions(addSampleOptions(addModelOptions(command), '--steps <n>'));
  runner.attach(command, async (flags: Flags, { signal, io }) => {
    await using model = await DualAnoDiff.load(flags.base ?? embedded.base, {
      device: flags.device,
      dtype: flags.dtype,
      signal,
    });
    const sampleFlags = { ...flags, sampleBatchSize: flags.batchSize };
    const { adapter, out, count, device } = flags;
    const sampling = { adapter, out, count, flags: sampleFlags, device };
    const { writer, emptyMasks, seconds } = await samplePairs(model, sampling, signal, io);
    io.result(
      `${writer.records.length} pairs in ${writer.folder}, ${emptyMasks} with an empty mask, in ${seconds.toFixed(1)} s`,
      {
        out: writer.folder,
        pairs: writer.records.length,
        emptyMasks,
        seconds,
      },
    );
  });
}
