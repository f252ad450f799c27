/**
 * The `name` of our warnings. `process.on('warning', …)` receives them, and the command line prints each on one line.
 */
export const WARNING = 'DualAnoDiffWarning';

const warnedTopics = new Set<string>();

/** Emits a process warning, but only once for each `topic`. The topic defaults to the message itself. */
export function warn(message: string, topic: string = message): void {
  if (warnedTopics.has(topic)) return;
  warnedTopics.add(topic);
  process.emitWarning(message, WARNING);
}
