/** Lists the adapters that jobs have trained. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Job } from '../../queue/job-queue.js';
import type { ServiceContext } from '../context.js';
import * as schemas from '../schemas.js';

const campaignResult = z.object({ types: z.array(z.object({ type: z.string(), adapter: z.string().optional() })) });

/** Returns the adapters of a completed job. A campaign has one for each type. */
function adaptersOf({ id, kind, options, created, result }: Job) {
  const shared = { job: id, created, ...(typeof options.data === 'string' && { data: options.data }) };
  if (kind === 'learn') return [{ name: id, type: String(options.type), ...shared }];
  const campaign = campaignResult.safeParse(result);
  if (kind !== 'campaign' || !campaign.success) return [];
  return campaign.data.types.flatMap(({ type, adapter }) =>
    adapter === undefined ? [] : [{ name: `${id}/${adapter}`, type, ...shared }],
  );
}

export function addAdapterRoutes(app: FastifyInstance, { queue }: ServiceContext): void {
  app.get<{ Querystring: z.output<typeof schemas.adapterQuery> }>(
    '/v1/adapters',
    {
      schema: {
        operationId: 'listAdapters',
        summary: 'List the adapters, those of the newest jobs first. A page has those of some jobs, and may have none.',
        querystring: schemas.adapterQuery,
        response: { 200: schemas.adapterPage },
      },
    },
    async ({ query }) => {
      const { jobs, next } = await queue.list({ ...query, state: 'completed' });
      return { adapters: jobs.flatMap(adaptersOf), ...(next !== undefined && { next }) };
    },
  );
}
