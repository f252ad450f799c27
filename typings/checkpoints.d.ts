import { type WriteLock } from './write-lock.js';
/** One step's line. */
export interface LogEntry {
    step: number;
    loss: number;
    /** In float16: the steps so far whose gradients overflowed. */
    skippedSteps?: number;
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
    /** Takes the adapter and what belongs to it. Throws ERR_BUSY where another process trains into it. */
    lock(): Promise<WriteLock>;
    /** Removes checkpoints and what a killed process left half-written. */
    removeCheckpoints(): Promise<void>;
    /** Removes what a killed process left half-written of this run; a neighbour's files may begin with the same name. */
    removePartial(): Promise<void>;
    /** Starts the log again with the lines up to `step`: those after it belong to work that was lost. */
    rewindLog(step: number): Promise<void>;
    /** The lines that are whole. Throws ERR_FILE_ACCESS naming one that is damaged, other than by a kill at the end. */
    readLog(): Promise<LogEntry[]>;
    appendLog(entry: LogEntry): Promise<void>;
}
/**
 * Throws ERR_CHECKPOINT_MISMATCH naming every setting that differs, with both values; those that only the file has are
 * settings of another version of the package, whose run cannot go on with this one.
 */
export declare function requireSameSettings(file: string, saved: Record<string, string>, wanted: Record<string, string>): void;
