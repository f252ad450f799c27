/** The inputs from the field in `shared/cases`: each is run as its README says, in this process where no other is tested. */
import { join, resolve } from 'node:path';
import { type LearnJobOptions, learn } from '../../lib/jobs/index.js';
import { cli, type Outcome } from './cli.js';
import { scratchFolder } from './scratch.js';

export const casesFolder = join(import.meta.dirname, '..', '..', '..', 'shared', 'cases');
export const caseFolder = (name: string): string => join(casesFolder, name);

// Losses are compared, so one thread computes. The engine reads this when it is loaded.
process.env.OMP_NUM_THREADS = '1';

/** Runs a command in a case's folder. */
export function inCase(name: string, args: string[]): Promise<Outcome> {
  return cli(args, { cwd: caseFolder(name) });
}

const folder = scratchFolder();
let runs = 0;

/** Makes one training step on two images. `data` is relative to the case's folder. */
const learnCase = (name: string, { data, ...more }: Partial<LearnJobOptions>) =>
  learn({
    data: resolve(caseFolder(name), data ?? 'tile'),
    out: join(folder, `${runs++}.safetensors`),
    ...{ type: 'crack', trainImages: '1/3', steps: 1, batchSize: 2, resolution: 64, initialAdapter: 'none' },
    ...{ globalPrompt: 'tile with a crack', anomalyPrompt: 'crack', device: 'cpu' },
    ...more,
  });

/** The cases' `TRAIN`. `data` is relative to the case's folder. Returns the loss. */
export async function trainCase(name: string, options: Partial<LearnJobOptions>): Promise<number> {
  return (await learnCase(name, options)).lastLoss as number;
}

let known: Promise<number> | undefined;
/** Returns the loss of training on `tile`. Other forms of the same images have to give the same. */
export function tileLoss(): Promise<number> {
  known ??= trainCase('tile', { data: '.' });
  return known;
}

/** Trains a small adapter of the embedded base for the type crack, and returns its file. */
export async function crackAdapter(): Promise<string> {
  return (await learnCase('tile', { data: '.', rank: 2 })).adapter;
}

/** The same as a command line. */
export function trainInCase(name: string, out: string, ...more: string[]): Promise<Outcome> {
  const fixed = ['--type', 'crack', '--train-images', '1/3', '--steps', '1', '--batch-size', '2', '--resolution', '64'];
  const prompts = ['--global-prompt', 'tile with a crack', '--anomaly-prompt', 'crack'];
  const rest = ['--initial-adapter', 'none', '--device', 'cpu', '--json', '--out', out];
  return inCase(name, ['train', ...fixed, ...prompts, ...rest, ...more]);
}

/** The loss that a `TRAIN` ended with; an error that shows what it said instead. */
export function lossOf({ code, stdout, stderr }: Outcome): number {
  if (code !== 0) throw new Error(`exit ${code}: ${stderr}`);
  return (JSON.parse(stdout) as { lastLoss: number }).lastLoss;
}
