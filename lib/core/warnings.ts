/** What is worth knowing of an input that is used all the same. */

/** The `name` of our warnings: `process.on('warning', …)` gets them, and the command line shows each as one line. */
export const WARNING = 'DualAnoDiffWarning';

const told = new Set<string>();

/** Emits a warning of the process, once for each `topic`: by default, its words. */
export function warn(message: string, topic: string = message): void {
  if (told.has(topic)) return;
  told.add(topic);
  process.emitWarning(message, WARNING);
}
