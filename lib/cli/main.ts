#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { packageRoot } from '../core/paths.js';
import { addConvert } from './convert.js';
import { addDemo } from './demo.js';
import { addDoctor } from './doctor.js';
import { addEvaluate } from './evaluate.js';
import { addLibtorch } from './libtorch.js';
import { keepGoingWithoutReaders } from './lost-output.js';
import { addMask } from './mask.js';
import { addRun } from './run.js';
import { EXIT, Runner } from './runner.js';
import { addSample } from './sample.js';
import { addTrain } from './train.js';
import { showWarnings } from './warnings.js';

keepGoingWithoutReaders();
const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
const program = new Command('dualanodiff')
  .description('Learn a defect from a few images, generate many pairs of image and mask')
  .version(version)
  .showHelpAfterError('(--help shows every option)');
program.exitOverride(); // before the commands, which inherit it
showWarnings();
const runner = new Runner();
for (const add of [addTrain, addSample, addMask, addRun, addEvaluate, addConvert, addDemo, addDoctor, addLibtorch])
  add(program, runner);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // commander has said what is wrong, or shown help or version.
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
