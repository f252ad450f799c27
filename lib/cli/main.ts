#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { packageRoot } from '../core/paths.js';
import { addCommand } from './command.js';
import { convert } from './convert.js';
import { doctor } from './doctor.js';
import { jobCommands } from './jobs.js';
import { libtorchCommands } from './libtorch.js';
import { keepGoingWithoutReaders } from './lost-output.js';
import { reviewPairs } from './review.js';
import { EXIT, Runner } from './runner.js';
import { serveJobs } from './serve.js';
import { weightsCommands } from './weights.js';
import { worker } from './worker.js';

keepGoingWithoutReaders();
const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
const program = new Command('dualanodiff')
  .description('Learn a defect from a few images, and generate many pairs of image and mask.')
  .version(version, '-V, --version', 'Show the version.')
  .helpOption('-h, --help', 'Show the common options.')
  .helpCommand('help [command]', 'Show the help of a command.')
  .showHelpAfterError('(--help shows the common options, --help-all every one)');
program.exitOverride(); // Commands that are added afterwards inherit it.
const runner = new Runner();
for (const command of [...jobCommands, reviewPairs, serveJobs, worker, convert, doctor]) {
  addCommand(program, runner, command);
}
const libtorch = program.command('libtorch').description('Find or install libtorch.');
for (const command of libtorchCommands) addCommand(libtorch, runner, command);
const weights = program.command('weights').description('Find or install weights of other networks.');
for (const command of weightsCommands) addCommand(weights, runner, command);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has already printed the error, the help or the version.
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error.exitCode !== 0 && process.argv.includes('--json')) {
    const message = error.message.replace(/^error: /, '');
    process.stdout.write(`${JSON.stringify({ error: { code: 'ERR_INVALID_OPTION', message } })}\n`);
  }
}
