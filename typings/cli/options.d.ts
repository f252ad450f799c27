import { type Command } from 'commander';
import type { z } from 'zod';
/** The value of a flag that must be a number. */
export declare function number(text: string): number;
/** For commands that put the engine to work; the runner heeds it. */
export declare function addProfileOption(command: Command): Command;
export declare function addTrainOptions(command: Command): Command;
/** Where foregrounds come from, which background compensation leaves out of training and background images. */
export declare function addForegroundOptions(command: Command): Command;
export declare function addSampleOptions(command: Command, steps: '--steps <n>' | '--sample-steps <n>'): Command;
export declare function addMaskOptions(command: Command): Command;
/** The flags that are options of a schema, but for those that the user left out. */
export declare function pickOptions<S extends z.ZodObject>(flags: Partial<Record<keyof z.input<S>, unknown>>, schema: S): z.input<S>;
