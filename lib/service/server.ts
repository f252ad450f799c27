/** Makes the HTTP server of the service. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import rateLimit from '@fastify/rate-limit';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { addAccess } from './access.js';
import type { ServiceContext } from './context.js';
import { handleError, serviceError } from './errors.js';
import { JobReviews } from './job-reviews.js';
import { addOpenApi, checkBySchemas } from './openapi.js';
import { ReviewKeys } from './review-keys.js';
import { addAdapterRoutes } from './routes/adapters.js';
import { addDatasetRoutes } from './routes/datasets.js';
import { addEventRoutes } from './routes/events.js';
import { addFileRoutes } from './routes/files.js';
import { addHealthRoutes } from './routes/health.js';
import { addJobRoutes } from './routes/jobs.js';
import { addPageRoutes } from './routes/page.js';
import { addQueueRoutes } from './routes/queue.js';
import { addReviewRoutes } from './routes/review.js';
import { addWorkerRoutes } from './routes/workers.js';
import type { Tokens } from './tokens.js';

/** A request other than an upload is small. */
const MAX_BODY_BYTES = 256 * 1024;
/** A connection ends if nothing moves on it for this long. Streams of events send heartbeats. */
const SILENCE_MS = 120_000;
const MAX_PARAM_CHARACTERS = 1024;

export interface ServerSettings {
  tokens: Tokens;
  /** Each client may send this number of requests in a minute. */
  maxRequests: number;
  version: string;
  /** Undefined for no log. */
  log?: { stream: { write(line: string): void } } | undefined;
}

/** Takes the identifier that a proxy has given to the request, or makes one. */
function requestIdOf({ headers }: { headers: IncomingMessage['headers'] }): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}

/** Answers requests that are not even HTTP. */
function answerBrokenRequest(
  error: Error & { code?: string },
  socket: NodeJS.WritableStream & { writable: boolean },
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return;
  const [status, reason] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'its headers are too large']
      : ['400 Bad Request', 'it is not valid HTTP'];
  const body = JSON.stringify({
    error: { code: 'ERR_INVALID_REQUEST', message: `The request cannot be read: ${reason}` },
  });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** Collects the addresses and methods of the routes that are added from now on. */
function collectRoutes(app: FastifyInstance): Map<string, Set<string>> {
  const routes = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = routes.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    routes.set(url, methods);
  });
  return routes;
}

/** Answers 405 to the methods that an address does not have. */
function refuseOtherMethods(app: FastifyInstance, routes: ReadonlyMap<string, ReadonlySet<string>>): void {
  const others = (methods: ReadonlySet<string>) => app.supportedMethods.filter((method) => !methods.has(method));
  for (const [url, methods] of [...routes]) {
    const allowed = [...methods].join(', ');
    app.route({
      ...{ method: others(methods), url, schema: { hide: true } },
      // Before the body is looked at, whose type is wrong for some methods.
      onRequest: async (_request, reply) => {
        reply.header('allow', allowed);
        throw serviceError('ERR_METHOD_NOT_ALLOWED', `Expected one of the methods ${allowed}`);
      },
      handler: () => {},
    });
  }
}

/** Makes the server with all routes. The caller listens, and closes it. */
export async function createServer(context: ServiceContext, settings: ServerSettings): Promise<FastifyInstance> {
  const { tokens, maxRequests, version, log } = settings;
  const app: FastifyInstance = fastify({
    logger: log ? { level: 'info', stream: log.stream, redact: ['req.headers.authorization'] } : false,
    bodyLimit: MAX_BODY_BYTES,
    connectionTimeout: SILENCE_MS,
    trustProxy: 'loopback', // A proxy on this machine tells the addresses of clients. Others could make them up.
    routerOptions: { maxParamLength: MAX_PARAM_CHARACTERS },
    genReqId: (request) => requestIdOf(request),
    clientErrorHandler: answerBrokenRequest as never,
    frameworkErrors: (error, request, reply) => handleError(error, request as FastifyRequest, reply as FastifyReply),
  });
  app.removeContentTypeParser('text/plain'); // Pages of other sites may send it without asking.
  checkBySchemas(app);
  app.setErrorHandler(handleError);
  app.setNotFoundHandler(({ method, url }) => {
    throw serviceError('ERR_NOT_FOUND', `There is nothing at ${method} ${url.slice(0, 200)}: see /openapi.json`);
  });
  app.addHook('onRequest', async (request, reply) => {
    reply
      .header('x-request-id', request.id)
      .header('x-content-type-options', 'nosniff')
      .header('cache-control', 'no-store');
  });
  const keys = new ReviewKeys();
  addAccess(app, tokens, keys);
  context.metrics.observeRequests(app);
  await app.register(rateLimit, {
    ...{ max: maxRequests, timeWindow: '1 minute' },
    keyGenerator: ({ client, ip }) => client || ip,
    errorResponseBuilder: (_request, { after }) =>
      serviceError('ERR_RATE_LIMITED', `Too many requests: try again in ${after}`),
  });
  const routes = collectRoutes(app);
  await addOpenApi(app, version, !tokens.isEmpty);
  addJobRoutes(app, context);
  addEventRoutes(app, context);
  addFileRoutes(app, context);
  const reviews = new JobReviews({ ...context, onNote: (message) => app.log.warn(message) });
  app.addHook('preClose', async () => reviews.endStreams());
  app.addHook('onClose', () => reviews[Symbol.asyncDispose]());
  await addReviewRoutes(app, { ...context, reviews, keys });
  await addDatasetRoutes(app, context);
  addAdapterRoutes(app, context);
  addQueueRoutes(app, context);
  addWorkerRoutes(app, context);
  addHealthRoutes(app, context);
  await addPageRoutes(app);
  refuseOtherMethods(app, routes);
  return app;
}
