import type { Command } from 'commander';
import { Console } from './console.js';
export declare const EXIT: {
    readonly ok: 0;
    readonly failed: 1;
    readonly usage: 2;
    readonly interrupted: 130;
};
export interface Context {
    /** Fires on Ctrl-C, on SIGTERM, and when the terminal is closed. */
    signal: AbortSignal;
    io: Console;
}
/** Connects commands to what all of them share: --json, Ctrl-C, errors as one line, exit codes. */
export declare class Runner {
    #private;
    constructor();
    attach<Flags>(command: Command, action: (flags: Flags, context: Context) => Promise<void>): void;
}
