/** Shows warnings of the library as one line on standard error; others as Node does it. */
export declare function showWarnings(): void;
