/** Declares the command that takes jobs off the queue of a service. */
import { workerOptions } from '../options/worker.js';
import type { CommandSpec } from './command.js';

export const worker: CommandSpec = {
  name: 'worker',
  description: 'Take jobs off the queue of a service, and keep their results in the store.',
  options: workerOptions,
  async run(options, { signal, say }) {
    const { runWorker } = await import('../worker/worker.js');
    await runWorker(options, { signal, onNote: say });
    return { text: 'the worker has ended', value: { ended: true } };
  },
};
