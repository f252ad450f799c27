/** The flags that say which base model a command works on. */
import { type Command } from 'commander';
import { DualAnoDiff } from '../model.js';
import type { Context } from './runner.js';
export interface BaseFlags {
    base?: string;
    baseConfig?: string;
    predictionType?: 'epsilon' | 'v_prediction';
    lora?: {
        file: string;
        scale: number;
    }[];
    taesd?: string;
    device: string;
    dtype: 'auto';
}
/** What `convert` needs of these too. */
export declare function addSourceOptions(command: Command): Command;
export declare function addBaseOptions(command: Command): Command;
export declare function loadBase(flags: BaseFlags, { io, signal }: Context): Promise<DualAnoDiff>;
