import { z } from 'zod';
/**
 * The options with their defaults. Throws ERR_INVALID_OPTION as "Expected X for NAME but received VALUE".
 * Names that no option has are errors too.
 */
export declare function checkOptions<T extends z.ZodType>(schema: T, input: unknown): z.output<T>;
/** An integer in [low, high]. */
export declare function integer(low: number, high?: number): z.ZodNumber;
/** A finite number in [low, high]. */
export declare function real(low: number, high: number): z.ZodNumber;
/** A finite number in (low, high]. */
export declare function above(low: number, high: number): z.ZodNumber;
/** One of the words. */
export declare function oneOf<const T extends readonly [string, ...string[]]>(words: T): z.ZodEnum<{ [k in T[number]]: k; } extends infer T_1 ? { [k in keyof T_1]: T_1[k]; } : never>;
export declare const text: () => z.ZodString;
export declare const flag: () => z.ZodBoolean;
export declare const signal: () => z.ZodOptional<z.ZodCustom<AbortSignal, AbortSignal>>;
/** The entries that are not undefined: what the user did not say is left to the API's defaults. */
export declare function given<T extends object>(options: T): {
    [K in keyof T]: Exclude<T[K], undefined>;
};
