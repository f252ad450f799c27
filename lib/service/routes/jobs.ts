/** Submits, lists, cancels and retries jobs. */
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { checkRequest, datasetsIn } from '../../options/requests.js';
import { basePath } from '../../worker/inputs.js';
import type { ServiceContext } from '../context.js';
import { findDataset } from '../find-dataset.js';
import * as schemas from '../schemas.js';

type Params = z.output<typeof schemas.jobParams>;

export function addJobRoutes(app: FastifyInstance, { queue, store, bases }: ServiceContext): void {
  app.post<{ Body: z.input<typeof schemas.jobRequest>; Headers: z.output<typeof schemas.submitHeaders> }>(
    '/v1/jobs',
    {
      schema: {
        operationId: 'submitJob',
        summary: 'Submit a job.',
        headers: schemas.submitHeaders,
        body: schemas.jobRequest,
        response: { 202: schemas.job },
      },
    },
    async (request, reply) => {
      const { kind, priority = 0 } = request.body;
      const options = checkRequest(kind, request.body.options);
      if (typeof options.base === 'string') basePath(options.base, bases);
      const datasets: Record<string, string> = {};
      for (const name of datasetsIn(kind, options)) datasets[name] = (await findDataset(store, name)).digest;
      const key = request.headers['idempotency-key'];
      const idempotencyKey = key && { idempotencyKey: `${request.client} ${key}` };
      const job = await queue.submit({ kind, options, priority, datasets, ...idempotencyKey });
      request.log.info({ job: job.id, kind }, 'job submitted');
      return reply.code(202).header('location', `/v1/jobs/${job.id}`).send(job);
    },
  );
  app.get<{ Querystring: z.output<typeof schemas.pageQuery> }>(
    '/v1/jobs',
    {
      schema: {
        operationId: 'listJobs',
        summary: 'List jobs, the newest first.',
        querystring: schemas.pageQuery,
        response: { 200: schemas.jobPage },
      },
    },
    ({ query }) => queue.list(query),
  );
  app.get<{ Params: Params }>(
    '/v1/jobs/:id',
    {
      schema: {
        operationId: 'getJob',
        summary: 'Describe a job.',
        params: schemas.jobParams,
        response: { 200: schemas.job },
      },
    },
    ({ params }) => queue.get(params.id),
  );
  app.delete<{ Params: Params }>(
    '/v1/jobs/:id',
    {
      schema: {
        operationId: 'cancelJob',
        summary: 'Cancel a job. A running one ends within a step.',
        params: schemas.jobParams,
        response: { 202: schemas.job },
      },
    },
    async ({ params, log }, reply) => {
      const job = await queue.cancel(params.id);
      log.info({ job: job.id }, 'job cancelled');
      return reply.code(202).send(job);
    },
  );
  app.post<{ Params: Params }>(
    '/v1/jobs/:id/retry',
    {
      schema: {
        operationId: 'retryJob',
        summary: 'Run a failed or cancelled job again. It continues from its finished work.',
        params: schemas.jobParams,
        response: { 202: schemas.job },
      },
    },
    async ({ params, log }, reply) => {
      const job = await queue.retry(params.id);
      log.info({ job: job.id }, 'job queued again');
      return reply.code(202).send(job);
    },
  );
}
