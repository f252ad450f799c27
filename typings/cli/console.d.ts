import type { Profile } from '../profile.js';
/** What a command tells its user: a progress bar on a terminal, one JSON line for machines. */
export declare class Console {
    readonly json: boolean;
    constructor(json: boolean);
    /** A line for people; nothing with --json. */
    say(line: string): void;
    warn(line: string): void;
    /** The command's result: `text` for people, `value` as one line of JSON for machines. */
    result(text: string, value: object): void;
    /** Where the time went since the process began, on the side: a table, or one line of JSON. */
    profile({ stages, operations }: Profile): void;
    /** A bar with speed and time left on a terminal; elsewhere about ten lines. `unit` names what is counted. */
    progress(what: string, total: number, unit: string): Progress;
}
export interface Progress {
    /** `done` of `total`; `note` stands behind the bar. */
    update(done: number, note?: string): void;
    stop(): void;
}
