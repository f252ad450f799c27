/** Declares the command that serves jobs over HTTP. */
import { serveOptions } from '../options/service.js';
import type { CommandSpec } from './command.js';

export const serveJobs: CommandSpec = {
  name: 'serve',
  description: 'Serve jobs over HTTP, and run them here or hand them to workers.',
  options: serveOptions,
  async run(options, { signal, say }) {
    const { serve } = await import('../service/serve.js');
    await serve(options, {
      ...{ signal, log: process.stderr },
      onListening: (address) => say(`listening on ${address}`),
    });
    return { text: 'the service has stopped', value: { stopped: true } };
  },
};
