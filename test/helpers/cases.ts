/** The inputs from the field in `shared/cases`: each is run as its README says. */
import { join } from 'node:path';
import { cli, type Outcome } from './cli.js';

export const casesFolder = join(import.meta.dirname, '..', '..', '..', 'shared', 'cases');
export const caseFolder = (name: string): string => join(casesFolder, name);

/** What `TRAIN --data ../tile` gives with the embedded base. */
export const TILE_LOSS = 0.110423;

/** Runs a command in a case's folder. Losses are compared, so one thread computes. */
export function inCase(name: string, args: string[]): Promise<Outcome> {
  return cli(args, { cwd: caseFolder(name), env: { OMP_NUM_THREADS: '1' } });
}

/** The cases' `TRAIN`: one training step; later options override. `out` is the adapter's file. */
export function trainInCase(name: string, out: string, ...more: string[]): Promise<Outcome> {
  const fixed = ['--type', 'crack', '--steps', '1', '--batch-size', '2', '--resolution', '64'];
  const prompts = ['--global-prompt', 'tile with a crack', '--anomaly-prompt', 'crack'];
  const rest = ['--initial-adapter', 'none', '--device', 'cpu', '--json', '--out', out];
  return inCase(name, ['train', ...fixed, ...prompts, ...rest, ...more]);
}

/** The loss that a `TRAIN` ended with; an error that shows what it said instead. */
export function lossOf({ code, stdout, stderr }: Outcome): number {
  if (code !== 0) throw new Error(`exit ${code}: ${stderr}`);
  return (JSON.parse(stdout) as { lastLoss: number }).lastLoss;
}
