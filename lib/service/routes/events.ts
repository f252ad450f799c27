/** Streams the events of a job as server-sent events. */
import { setMaxListeners } from 'node:events';
import { PassThrough, pipeline, Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { StoredEvent } from '../../queue/job-queue.js';
import type { ServiceContext } from '../context.js';
import * as schemas from '../schemas.js';

/** Proxies close connections that stay silent, most of them after a minute. */
const HEARTBEAT_MS = 15_000;
/** A client that lost its connection tries again after this time. */
const RETRY_MS = 2000;

// OpenAPI 3.1 has no words for streams of events. By custom, the schema is that of each event.
const answer = z
  .object({
    id: z.string().describe('Send it as `Last-Event-ID` to continue after this event.'),
    event: z.string().describe('The name of the event, such as `progress` or `end`.'),
    data: z.string().describe('The event as JSON.'),
  })
  .meta({ id: 'ServerSentEvent', description: 'Each event of the stream.' });

const textOf = ({ id, event }: StoredEvent) => `id: ${id}\nevent: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`;

/** Requests an event that nobody may wait for, because the client may go away. Its error must not end the process. */
function nextOf(events: AsyncIterator<StoredEvent>): Promise<IteratorResult<StoredEvent>> {
  const next = events.next();
  next.catch(() => {});
  return next;
}

/**
 * Yields the texts of events. Nothing is read before the client has taken the last text, so that slow clients need no
 * memory.
 */
async function* textsOf(
  first: Promise<IteratorResult<StoredEvent>>,
  events: AsyncIterator<StoredEvent>,
): AsyncGenerator<string, void, undefined> {
  yield `retry: ${RETRY_MS}\n\n`;
  for (let next = await first; !next.done; next = await events.next()) yield textOf(next.value);
}

/** Passes texts on, each of them whole, and adds a comment now and then. `onClose` is called when the stream ends. */
function withHeartbeats(texts: AsyncIterable<string>, onClose: () => void): Readable {
  const stream = new PassThrough();
  const timer = setInterval(() => {
    if (!stream.writableNeedDrain && !stream.writableEnded) stream.write(': still there\n\n');
  }, HEARTBEAT_MS);
  pipeline(Readable.from(texts, { objectMode: false }), stream, () => {
    clearInterval(timer);
    onClose();
  });
  return stream;
}

export function addEventRoutes(app: FastifyInstance, { queue, stopping }: ServiceContext): void {
  setMaxListeners(0, stopping); // Each open stream listens.
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
      const leave = () => gone.abort();
      const { signal } = gone;
      if (stopping.aborted) leave();
      // AbortSignal.any would keep a trace of each connection in the signal that lives as long as the service.
      stopping.addEventListener('abort', leave);
      signal.addEventListener('abort', () => stopping.removeEventListener('abort', leave));
      raw.on('close', leave);
      reply.raw.on('close', leave);
      const after = headers['last-event-id'];
      const { state } = await queue.get(params.id);
      const events = queue.events(params.id, { after, signal })[Symbol.asyncIterator]();
      const first = nextOf(events);
      // A browser connects again after each end of a stream. Only this status stops it.
      if (state !== 'queued' && state !== 'running' && (await first).done) return reply.code(204).send();
      return reply
        .type('text/event-stream')
        .header('cache-control', 'no-cache')
        .header('x-accel-buffering', 'no')
        .send(withHeartbeats(textsOf(first, events), leave));
    },
  );
}
