import { WARNING } from '../core/warnings.js';

/** Shows warnings of the library as one line on standard error. Other warnings go to Node's listeners. */
export function showWarnings(): void {
  const others = process.listeners('warning');
  if (others.length === 0) return; // The user has turned warnings off with NODE_NO_WARNINGS or --no-warnings.
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name === WARNING) process.stderr.write(`warning: ${warning.message}\n`);
    else for (const listener of others) listener(warning);
  });
}
