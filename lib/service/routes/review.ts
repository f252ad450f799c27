/** Tells how to review the pairs of a job. */
import { basename } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { PAIR_LIST } from '../../dataset/pair-list.js';
import { jobPrefix, readResult } from '../../store/results.js';
import type { ServiceContext } from '../context.js';
import { serviceError } from '../errors.js';
import * as schemas from '../schemas.js';

const quoted = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** Returns the commands for a terminal. A review needs a folder, so that the files of a bucket are copied first, and back. */
function commandsFor(place: string, id: string): string[] {
  const files = `${place}/${jobPrefix(id)}/files`;
  if (!place.startsWith('s3://')) return [`dualanodiff review ${quoted(files)}`];
  return [`aws s3 sync ${quoted(files)} ${id}`, `dualanodiff review ${id}`, `aws s3 sync ${id} ${quoted(files)}`];
}

export function addReviewRoutes(app: FastifyInstance, { queue, store }: ServiceContext): void {
  app.get<{ Params: z.output<typeof schemas.jobParams> }>(
    '/v1/jobs/:id/review',
    {
      schema: {
        operationId: 'getReview',
        summary: 'Tell how to review the pairs of a completed job on a machine that has the store.',
        params: schemas.jobParams,
        response: { 200: schemas.reviewCommands },
      },
    },
    async ({ params: { id } }) => {
      await queue.get(id);
      const { files = [] } = (await readResult(store, id)) ?? {};
      if (!files.some(({ path }) => basename(path) === PAIR_LIST)) {
        throw serviceError(
          'ERR_NOT_FOUND',
          `The job ${id} has no pairs to review: it has not made any, or its parts have`,
        );
      }
      return { commands: commandsFor(store.place, id) };
    },
  );
}
