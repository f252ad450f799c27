/** Describes the queue, and pauses it. */
import type { FastifyInstance } from 'fastify';
import type { ServiceContext } from '../context.js';
import { queueState } from '../schemas.js';

export function addQueueRoutes(app: FastifyInstance, { queue }: ServiceContext): void {
  const response = { 200: queueState };
  const describe = async () => ({ paused: await queue.isPaused(), jobs: await queue.counts() });
  app.get('/v1/queue', { schema: { operationId: 'getQueue', summary: 'Describe the queue.', response } }, describe);
  app.post(
    '/v1/queue/pause',
    { schema: { operationId: 'pauseQueue', summary: 'Start no further jobs. Running ones go on.', response } },
    async ({ log }) => {
      await queue.pause();
      log.info('queue paused');
      return describe();
    },
  );
  app.post(
    '/v1/queue/resume',
    { schema: { operationId: 'resumeQueue', summary: 'Start jobs again.', response } },
    async ({ log }) => {
      await queue.resume();
      log.info('queue resumed');
      return describe();
    },
  );
}
