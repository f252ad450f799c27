import type { Command } from 'commander';
import { type Runner } from './runner.js';
export declare function addRun(program: Command, runner: Runner): void;
