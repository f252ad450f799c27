/** Streams the events of a job as server-sent events. */
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { StoredEvent } from '../../queue/job-queue.js';
import type { ServiceContext } from '../context.js';
import * as schemas from '../schemas.js';

/** Proxies close connections that stay silent, most of them after a minute. */
const HEARTBEAT_MS = 15_000;
/** A client that lost its connection tries again after this time. */
const RETRY_MS = 2000;

const answer = z.string().describe('The events. Each has an `id`, the name of the `event`, and JSON as `data`.');

const textOf = ({ id, event }: StoredEvent) => `id: ${id}\nevent: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`;

/** Requests the next event. If the client goes away, nobody waits for it, and an error must not end the process. */
function nextOf(events: AsyncIterator<StoredEvent>): Promise<IteratorResult<StoredEvent>> {
  const next = events.next();
  next.catch(() => {});
  return next;
}

/**
 * Yields the texts of events, and comments while there are none. `next` is the first event. Nothing is read before the
 * client has taken the last text, so that slow clients need no memory.
 */
async function* textsOf(
  next: Promise<IteratorResult<StoredEvent>>,
  events: AsyncIterator<StoredEvent>,
): AsyncGenerator<string, void, undefined> {
  yield `retry: ${RETRY_MS}\n\n`;
  for (;;) {
    const timer = new AbortController();
    const silence = wait(HEARTBEAT_MS, undefined, { signal: timer.signal }).catch(() => undefined);
    const found = await Promise.race([next, silence]).finally(() => timer.abort());
    if (found?.done) return;
    if (found) next = nextOf(events);
    yield found ? textOf(found.value) : ': still there\n\n';
  }
}

export function addEventRoutes(app: FastifyInstance, { queue, stopping }: ServiceContext): void {
  app.get<{ Params: z.output<typeof schemas.jobParams>; Headers: z.output<typeof schemas.eventHeaders> }>(
    '/v1/jobs/:id/events',
    {
      exposeHeadRoute: false,
      config: { answers: 'text/event-stream' },
      schema: {
        operationId: 'followJob',
        summary: 'Follow a job. Answers 204 if the job has ended and the client has all of its events.',
        params: schemas.jobParams,
        headers: schemas.eventHeaders,
        response: { 200: answer, 204: z.null().describe('The job has ended, and the client has all of its events.') },
      },
    },
    async ({ params, headers, raw }, reply) => {
      const gone = new AbortController();
      raw.on('close', () => gone.abort());
      reply.raw.on('close', () => gone.abort());
      const signal = AbortSignal.any([gone.signal, stopping]);
      const after = headers['last-event-id'];
      const { state } = await queue.get(params.id);
      const events = queue.events(params.id, { after, signal })[Symbol.asyncIterator]();
      const first = nextOf(events);
      // A browser connects again after each end of a stream. Only this status stops it.
      if (state !== 'queued' && state !== 'running' && (await first).done) return reply.code(204).send();
      const stream = Readable.from(textsOf(first, events), { objectMode: false });
      stream.on('close', () => gone.abort());
      return reply
        .type('text/event-stream')
        .header('cache-control', 'no-cache')
        .header('x-accel-buffering', 'no')
        .send(stream);
    },
  );
}
