/** Lets clients in, or not, before a request is read. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { serviceError } from './errors.js';
import { GuessLimit } from './guess-limit.js';
import type { ReviewKeys } from './review-keys.js';
import { isLoopback, type Tokens } from './tokens.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The name of the client's token. It is `local` on a service without tokens. */
    client: string;
  }
  interface FastifyContextConfig {
    /** Anybody may request the route, without a token. */
    isPublic?: boolean;
    /** A browser may request the route with the key of the review of the job `id`. */
    takesReviewKey?: boolean;
  }
}

const hostOf = (authority: string) => authority.replace(/:\d+$/, '');

/**
 * Without tokens, any web page that the user visits could send requests to the service, and a name that points to
 * 127.0.0.1 would let it read the answers.
 */
function refuseOtherSites({ headers }: FastifyRequest): void {
  const { host = '', origin } = headers;
  if (!isLoopback(hostOf(host))) {
    throw serviceError('ERR_FORBIDDEN', 'A service without tokens only answers requests to 127.0.0.1 or localhost');
  }
  if (origin !== undefined && origin !== `http://${host}`) {
    throw serviceError('ERR_FORBIDDEN', 'The request comes from the page of another site');
  }
}

/**
 * Returns the client that has opened the review that a request is about. Browsers do not send the key with requests of
 * other sites' pages, and those of other pages of this site are refused here.
 */
function reviewerOf({ headers, params, routeOptions }: FastifyRequest, keys: ReviewKeys): string | undefined {
  if (!routeOptions.config.takesReviewKey) return undefined;
  if (!['same-origin', 'none'].includes(String(headers['sec-fetch-site'] ?? 'none'))) return undefined;
  return keys.clientOf(headers.cookie, (params as { id: string }).id);
}

/** The identity of a client is in its token, which is checked before the rate of a client's requests is. */
export function addAccess(app: FastifyInstance, tokens: Tokens, keys: ReviewKeys): void {
  const guesses = new GuessLimit();
  app.decorateRequest('client', '');
  app.addHook('onRequest', async (request, reply) => {
    if (tokens.isEmpty) {
      refuseOtherSites(request);
      request.client = 'local';
      return;
    }
    if (request.routeOptions.config.isPublic) return;
    const { ip, socket, headers, log } = request;
    const isGiven = Boolean(headers.authorization); // A page asks without a token first.
    const client = isGiven ? tokens.clientOf(headers.authorization) : reviewerOf(request, keys);
    const seconds = isGiven ? guesses.count({ address: ip, peer: socket.remoteAddress ?? '' }, client) : 0;
    if (seconds > 0) {
      log.warn({ address: ip }, 'too many wrong tokens');
      reply.header('retry-after', seconds);
      throw serviceError(
        'ERR_RATE_LIMITED',
        `Too many wrong tokens from this address: try again in ${seconds} seconds`,
      );
    }
    if (client === undefined) {
      throw serviceError(
        'ERR_UNAUTHORIZED',
        'Expected the header Authorization: Bearer TOKEN with a token of this service',
      );
    }
    request.client = client;
    request.log = request.log.child({ client });
    reply.log = request.log; // It writes the line of the completed request.
  });
}
