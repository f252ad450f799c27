import type { z } from 'zod';
export interface JsonLines<T> {
    /** The file's text; empty where there is no file. */
    text: string;
    lines: {
        line: number;
        value: T;
    }[];
    /** The last line was cut off while it was written: it is not among the lines. */
    torn: boolean;
}
/** Throws ERR_FILE_ACCESS for a line of a file that cannot be used. */
export declare function failAtLine(file: string, line: number, what: string): never;
/**
 * Reads a file of a JSON value a line. A byte order mark, `\r\n` and empty lines do no harm. A last line without an end
 * that is no JSON was torn by a kill or a full disk, and is left out. Values are as they were written: the schema checks
 * them and changes nothing.
 *
 * Throws ERR_FILE_ACCESS naming the file and the line that is damaged otherwise.
 */
export declare function readJsonLines<S extends z.ZodType>(file: string, schema: S): Promise<JsonLines<z.output<S>>>;
/** The text of a file of JSON lines. */
export declare const jsonLines: (values: readonly object[]) => string;
/**
 * Adds a line to a file of JSON lines. One that cannot be written whole is taken back: the next would continue it. With
 * `flush` it is on the disk before this returns.
 */
export declare function appendJsonLine(file: string, value: object, { flush }?: {
    flush?: boolean | undefined;
}): Promise<void>;
/** Reads a file of one JSON value. Throws ERR_FILE_ACCESS naming the file where it is something else. */
export declare function readJson<S extends z.ZodType>(file: string, schema: S): Promise<z.output<S>>;
