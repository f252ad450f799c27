/** What is worth knowing of an input that is used all the same. */
/** The `name` of our warnings: `process.on('warning', …)` gets them, and the command line shows each as one line. */
export declare const WARNING = "DualAnoDiffWarning";
/** Emits a warning of the process, once for each `topic`: by default, its words. */
export declare function warn(message: string, topic?: string): void;
