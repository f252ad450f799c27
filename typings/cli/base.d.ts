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
/**
 * `FILE` or `FILE=SCALE`, once for each file; names of files may hold `=`, so that what is there under the whole text is
 * meant. A folder is one that holds a LoRA.
 */
export declare function addLora(text: string, before?: {
    file: string;
    scale: number;
}[]): {
    file: string;
    scale: number;
}[];
/** What `convert` needs of these too. */
export declare function addSourceOptions(command: Command): Command;
export declare function addBaseOptions(command: Command): Command;
export declare function loadBase(flags: BaseFlags, { io, signal }: Context): Promise<DualAnoDiff>;
