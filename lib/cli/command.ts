/** Adds commands to the program. All commands share the handling of flags, config file, result and exit code. */
import { type Command, Option } from 'commander';
import type { OptionSet } from '../options/option.js';
import { printConfig, readConfig } from './config-file.js';
import { flagsOfSet } from './flags.js';
import type { CommandContext, Outcome, Runner, SharedFlags } from './runner.js';

export interface CommandSpec {
  name: string;
  description: string;
  options?: OptionSet;
  /** The value that follows the command's name. It is passed to `run` under this name. */
  argument?: { name: string; doc: string };
  /** True if the command uses the engine, so that its time can be recorded. */
  computes?: boolean;
  run(options: Record<string, unknown>, context: CommandContext): Promise<Outcome>;
}

interface ConfigFlags extends SharedFlags {
  config?: string;
  printConfig?: boolean;
}

/** Returns only the flags that the user gave, because defaults come from the schema. */
function givenFlags(command: Command, names: readonly string[]): Record<string, unknown> {
  const values = command.opts();
  const entries = names
    .filter((name) => command.getOptionValueSource(name) === 'cli')
    .map((name) => [name, values[name]]);
  return Object.fromEntries(entries);
}

function addSharedFlags(command: Command, hasOptions: boolean, computes: boolean): void {
  if (hasOptions) {
    command
      .option('--config <file.yaml>', 'Read options from a file. Flags override the file.')
      .addOption(new Option('--print-config', 'Print the options as a config file and do nothing else.').hideHelp());
  }
  command.option('--json', 'Print one JSON object as the result, or as the error.');
  if (!computes) return;
  command
    .addOption(
      new Option('--progress <how>', 'Show progress on standard error in this form. Default: bar, or none with --json.')
        .choices(['bar', 'json', 'none'])
        .hideHelp(),
    )
    .addOption(new Option('--profile', "Report the engine's time by stage and by operation.").hideHelp());
}

/** Adds `--help-all`, which also shows the options that `--help` leaves out. */
function addHelpAll(command: Command): void {
  command.option('--help-all', 'Show every option.');
  command.on('option:help-all', () => {
    for (const option of command.options) option.hidden = false;
    command.help();
  });
}

/** Adds a command to a program or to a group of commands. */
export function addCommand(program: Command, runner: Runner, spec: CommandSpec): void {
  const { name, description, options = {}, argument, computes = false } = spec;
  const command = program.command(name).description(description).helpOption('-h, --help', 'Show the common options.');
  if (argument) command.argument(`<${argument.name}>`, argument.doc);
  for (const flag of flagsOfSet(options)) command.addOption(flag);
  addSharedFlags(command, Object.keys(options).length > 0, computes);
  addHelpAll(command);
  command.action(async () => {
    const { config, printConfig: prints = false, ...shared } = command.opts<ConfigFlags>();
    await runner.run(shared, async (context) => {
      const fromFile = config === undefined ? {} : await readConfig(config, options);
      const given = { ...fromFile, ...givenFlags(command, Object.keys(options)) };
      if (prints) return { text: printConfig(options, given), value: given };
      return spec.run(argument ? { ...given, [argument.name]: command.args[0] } : given, context);
    });
  });
}
