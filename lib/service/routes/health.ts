/** Tells monitors how the service is. */
import type { FastifyInstance } from 'fastify';
import type { ServiceContext } from '../context.js';
import { serviceError } from '../errors.js';
import * as schemas from '../schemas.js';

export function addHealthRoutes(app: FastifyInstance, { queue, store, metrics, stopping }: ServiceContext): void {
  // Monitors ask often, so that only their failed requests are in the log.
  const monitored = { logLevel: 'warn' as const, config: { isPublic: true, rateLimit: false as const } };
  const shared = { security: [], response: { 200: schemas.health } };
  app.get(
    '/healthz',
    { ...monitored, schema: { operationId: 'getHealth', summary: 'Tells that the process answers.', ...shared } },
    async () => ({ status: 'ok' }),
  );
  app.get(
    '/readyz',
    {
      ...monitored,
      schema: { operationId: 'getReadiness', summary: 'Tells that queue and store can be used.', ...shared },
    },
    async ({ log }) => {
      if (stopping.aborted) throw serviceError('ERR_NOT_READY', 'The service is stopping');
      try {
        await Promise.all([queue.counts(), store.head('datasets/any.json')]);
      } catch (error) {
        log.warn({ err: error }, 'queue or store cannot be used');
        throw serviceError('ERR_NOT_READY', 'The queue or the store cannot be used');
      }
      return { status: 'ok' };
    },
  );
  app.get(
    '/metrics',
    {
      logLevel: 'warn',
      config: { answers: 'text/plain' },
      schema: { operationId: 'getMetrics', summary: 'Metrics for Prometheus.', response: { 200: schemas.metricsText } },
    },
    async (_request, reply) => reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
