/** The commands of the command line in this process: their help, and what options they are given. */
import { Command } from 'commander';
import { addCommand, type CommandSpec } from '../../lib/cli/command.js';
import { convert } from '../../lib/cli/convert.js';
import { doctor } from '../../lib/cli/doctor.js';
import { jobCommands } from '../../lib/cli/jobs.js';
import { libtorchCommands } from '../../lib/cli/libtorch.js';
import { reviewPairs } from '../../lib/cli/review.js';
import type { Outcome, Runner } from '../../lib/cli/runner.js';
import { serveJobs } from '../../lib/cli/serve.js';
import { worker } from '../../lib/cli/worker.js';

export const commands: CommandSpec[] = [
  ...[...jobCommands, reviewPairs, serveJobs, worker, convert, doctor],
  ...libtorchCommands,
];

/** Holds the outcome of a command, and the options that its work would be done with. */
export interface Said {
  options?: Record<string, unknown>;
  outcome?: Outcome;
  output: string;
}

/** Gives arguments to a command that does no work. Throws what the command would report. */
export async function say(name: string, ...args: string[]): Promise<Said> {
  const spec = commands.find((command) => command.name === name);
  if (!spec) throw new Error(`there is no command ${name}`);
  const said: Said = { output: '' };
  const write = (text: string) => {
    said.output += text;
  };
  const program = new Command('dualanodiff').exitOverride().configureOutput({ writeOut: write, writeErr: write });
  const runner: Pick<Runner, 'run'> = {
    run: async (_, action) => {
      said.outcome = await action({ signal: new AbortController().signal, say: write });
    },
  };
  const run = async (options: Record<string, unknown>) => {
    said.options = options;
    return { text: '', value: {} };
  };
  addCommand(program, runner as Runner, { ...spec, run });
  try {
    await program.parseAsync([name, ...args], { from: 'user' });
  } catch (error) {
    if ((error as { code?: string }).code !== 'commander.helpDisplayed' && said.output === '') throw error;
  }
  return said;
}
