/** Runs of an evaluation that failed while the others went on. */
export declare class RunFailures {
    #private;
    /** How many runs there are. */
    readonly total: number;
    constructor(
    /** How many runs there are. */
    total: number);
    /**
     * Does a run. What it throws is kept for the end; where `signal` has fired, or the caller's own callback has thrown, all
     * runs end.
     */
    collect<R>(run: string, signal: AbortSignal, work: () => Promise<R>): Promise<R | undefined>;
    /** Calls back to the caller. */
    callback(call: () => void): void;
    /** The results, if all runs have one. Throws the first failure, saying how many there were. */
    requireAll<R>(results: readonly (R | undefined)[]): R[];
}
