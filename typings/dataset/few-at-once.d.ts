/** Images that are decoded at once: photographs of full size must not pile up. */
export declare const DECODED_AT_ONCE = 4;
/**
 * Does the work for each input, few at once, and returns the results in the inputs' order. Of several failures the first
 * input's is thrown, so that the same files give the same error.
 */
export declare function fewAtOnce<Input, Result>(inputs: readonly Input[], work: (input: Input) => Promise<Result>): Promise<Result[]>;
