/** Lists those that run the jobs. */
import type { FastifyInstance } from 'fastify';
import type { ServiceContext } from '../context.js';
import * as schemas from '../schemas.js';

export function addWorkerRoutes(app: FastifyInstance, { queue }: ServiceContext): void {
  app.get(
    '/v1/workers',
    {
      schema: {
        operationId: 'listWorkers',
        summary: 'List the workers that are there. A service without Redis is its own only worker.',
        response: { 200: schemas.workerList },
      },
    },
    async () => ({ workers: await queue.workers() }),
  );
}
