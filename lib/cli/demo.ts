import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { embedded } from '../core/paths.js';
import { lockFolder } from '../core/write-lock.js';
import { Dataset } from '../dataset/dataset.js';
import { DualAnoDiff } from '../model/dualanodiff.js';
import { number } from './options.js';
import { DEFAULT_RUN_FLAGS, describeRun, type RunFlags, runType } from './run-type.js';
import type { Runner } from './runner.js';

interface Flags {
  out?: string;
  steps: number;
  count: number;
  resolution: number;
}

const DEMO_FOLDER = 'out/demo';
const DEMO_TYPE = 'stain';

export function addDemo(program: Command, runner: Runner): void {
  const command = program
    .command('demo')
    .description('the main job on the embedded example set, with the embedded models')
    .option('--out <dir>', `folder for everything (default: ${DEMO_FOLDER}, emptied first)`)
    .option('--steps <n>', 'training steps', number, 80)
    .option('--count <n>', 'pairs', number, 16)
    .option('--resolution <n>', 'pixels along each side', number, 64);
  runner.attach(command, async (flags: Flags, context) => {
    const out = resolve(flags.out ?? DEMO_FOLDER);
    await using _lock = await lockFolder(out); // before it is emptied: another demo may be writing to it
    if (flags.out === undefined) await rm(join(out, DEMO_TYPE), { recursive: true, force: true });
    const dataset = await Dataset.open(embedded.example);
    await using model = await DualAnoDiff.load(embedded.base, { signal: context.signal });
    context.io.say(`Learning "${DEMO_TYPE}" from the images in ${dataset.folder}`);
    const { steps, count, resolution } = flags;
    const run: RunFlags = {
      ...{ ...DEFAULT_RUN_FLAGS, steps, count, resolution, trainImages: '1/1', mask: ['threshold'] },
      ...{ sampleSteps: 20, scheduler: 'dpmsolver++', sampleBatchSize: 8 },
    };
    const summary = await runType(model, dataset, DEMO_TYPE, out, run, context);
    context.io.result(describeRun(summary), { ...summary });
  });
}
