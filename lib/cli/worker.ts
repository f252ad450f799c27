/** Declares the command that takes jobs off the queue of a service. */
import { workerOptions } from '../options/worker.js';
import type { CommandSpec } from './command.js';

/**
 * A service that starts workers has a channel to each of them, which closes if the service dies. Without it, the
 * workers of a killed service would go on beside those of the next one.
 */
function endingWithParent(signal: AbortSignal): AbortSignal {
  if (!process.connected) return signal;
  const parent = new AbortController();
  process.once('disconnect', () => parent.abort());
  process.channel?.unref(); // The channel alone must not keep the process running.
  return AbortSignal.any([signal, parent.signal]);
}

export const worker: CommandSpec = {
  name: 'worker',
  description: 'Take jobs off the queue of a service, and keep their results in the store.',
  options: workerOptions,
  async run(options, { signal, say }) {
    const { runWorker } = await import('../worker/worker.js');
    await runWorker(options, { signal: endingWithParent(signal), onNote: say });
    return { text: 'the worker has ended', value: { ended: true } };
  },
};
