/**
 * Does the work for each input, `count` at a time, and returns the results in the inputs' order. `lane`, from 0 on, tells
 * apart what goes on at the same time. The first failure, or the caller's signal, fires the signal that work gets, and
 * is thrown once all work has ended.
 */
export declare function sideBySide<Input, Result>(inputs: readonly Input[], count: number, signal: AbortSignal | undefined, work: (input: Input, lane: number, signal: AbortSignal) => Promise<Result>): Promise<Result[]>;
