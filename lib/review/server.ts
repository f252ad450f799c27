/** Serves a review on this machine. */
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { DualAnoDiffError, InvalidOptionError } from '../core/errors.js';
import type { PageFiles } from '../report/page-files.js';
import { Access, HOST } from './access.js';
import { EventStreams } from './events.js';
import { RequestError } from './request-error.js';
import { addRoutes } from './routes.js';
import type { ReviewSession } from './session.js';
import { Thumbnails } from './thumbnails.js';

/** A server that is listening. */
export interface ReviewServer {
  /** The address that opens the page, with the token. */
  address: string;
  app: FastifyInstance;
  close(): Promise<void>;
}

/** A page that does not read its answers must not keep the server from ending for longer than this. */
const MAX_CLOSE_MS = 2000;
const REQUEST_TIMEOUT_MS = 60_000;

/** Errors of our own have these statuses. All others are failures of the server. */
const STATUSES: Record<string, number> = { ERR_INVALID_OPTION: 400, ERR_DATASET_INVALID: 422 };

function describe(error: FastifyError): { status: number; code: string; message: string; state?: object } {
  const { message } = error;
  if (error instanceof RequestError) {
    const { status, code, state } = error;
    return { status, code, message, ...(state && { state }) };
  }
  if (error instanceof DualAnoDiffError) return { status: STATUSES[error.code] ?? 500, code: error.code, message };
  const { statusCode: status = 500 } = error; // Fastify refuses bodies that are too long or no JSON.
  return { status, code: status < 500 ? 'ERR_INVALID_REQUEST' : 'ERR_UNEXPECTED', message };
}

async function listen(app: FastifyInstance, port: number): Promise<void> {
  try {
    await app.listen({ host: HOST, port });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new DualAnoDiffError(
        `Port ${port} of ${HOST} is in use by another program: choose another one, or leave --port out`,
        'ERR_BUSY',
        { cause },
      );
    }
    if (code !== 'EACCES') throw cause;
    throw new InvalidOptionError(`Expected a port that this user may open for port but received ${port}`, { cause });
  }
}

/**
 * Starts the server. With the port 0 it takes a free one. Throws ERR_BUSY if the port is in use, and ERR_INVALID_OPTION
 * if the user may not open it.
 */
export async function startServer(session: ReviewSession, page: PageFiles, port: number): Promise<ReviewServer> {
  const app = Fastify({ requestTimeout: REQUEST_TIMEOUT_MS, forceCloseConnections: 'idle', exposeHeadRoutes: false });
  const access = new Access();
  const streams = new EventStreams(session);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'content-security-policy': page.policy,
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
    });
    return access.check(app, request, reply);
  });
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const { status, code, message, state } = describe(error);
    return reply.status(status).send({ error: { code, message }, ...(state && { state }) });
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.status(404).send({ error: { code: 'ERR_NOT_FOUND', message: 'There is no such address' } }),
  );
  for (const [url, { contentType, content }] of page.files) {
    app.get(url, (_request, reply) => reply.type(contentType).send(content));
  }
  const review = { session, thumbnails: new Thumbnails(session), streams };
  addRoutes(app, { reviewOf: async () => review });
  await listen(app, port);
  return {
    address: access.addressOf(app),
    app,
    async close() {
      streams.close();
      session.stopMeasuring();
      const timer = setTimeout(() => app.server.closeAllConnections(), MAX_CLOSE_MS);
      await app.close();
      clearTimeout(timer);
    },
  };
}
