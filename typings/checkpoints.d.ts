/** One step's line. */
export interface LogEntry {
    step: number;
    loss: number;
}
export declare class RunFiles {
    #private;
    readonly out: string;
    readonly log: string;
    constructor(out: string);
    checkpoint(step: number): string;
    /** The checkpoints that are there, newest first. */
    checkpoints(): Promise<{
        step: number;
        file: string;
    }[]>;
    prune(keep?: number): Promise<void>;
    /** Removes checkpoints and what a killed process left half-written. */
    removeCheckpoints(): Promise<void>;
    /** Starts the log again with the lines up to `step`: those after it belong to work that was lost. */
    rewindLog(step: number): Promise<void>;
    /** The lines that are whole. */
    readLog(): Promise<LogEntry[]>;
    appendLog(entry: object): Promise<void>;
}
/** Throws ERR_CHECKPOINT_MISMATCH naming every setting that differs, with both values. */
export declare function requireSameSettings(file: string, saved: Record<string, string>, wanted: Record<string, string>): void;
