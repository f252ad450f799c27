import { WARNING } from '../core/warnings.js';

let report: ((message: string) => void) | undefined;

/** Passes warnings of the library to `to` from now on. Other warnings go to Node's listeners. */
export function passWarnings(to: (message: string) => void): void {
  const isInstalled = report !== undefined;
  report = to;
  const others = process.listeners('warning');
  // Without listeners, the user has turned warnings off with NODE_NO_WARNINGS or --no-warnings.
  if (isInstalled || others.length === 0) return;
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name === WARNING) report?.(warning.message);
    else for (const listener of others) listener(warning);
  });
}
