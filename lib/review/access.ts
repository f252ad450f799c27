/** Lets only the page that the command's address opens talk to the server. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RequestError } from './request-error.js';

/** The server listens on this address only. */
export const HOST = '127.0.0.1';

/** Compares secrets in a time that does not depend on them. Their digests have one length, as the comparison needs. */
function isSame(a: string, b: string): boolean {
  const [one, other] = [a, b].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(one, other);
}

function cookieOf({ headers }: FastifyRequest, name: string): string {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
}

const refuse = (message: string) => new RequestError(403, 'ERR_FORBIDDEN', message);

/** The token of a server, which its address holds. */
export class Access {
  readonly #token = randomBytes(24).toString('base64url');

  /** Returns the address that opens the page. */
  addressOf(app: FastifyInstance): string {
    return `http://${HOST}:${portOf(app)}/?token=${this.#token}`;
  }

  /**
   * Refuses requests from elsewhere. A name that resolves to this machine (DNS rebinding) shows in `Host`, another page
   * in `Origin` and `Sec-Fetch-Site`, and everything else lacks the token. Returns the reply if that is sent already.
   */
  check(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
    const { headers } = request;
    const host = `${HOST}:${portOf(app)}`;
    if (headers.host !== host) throw refuse(`Expected the address ${host}: open the one that the command has printed`);
    const site = headers['sec-fetch-site'] ?? 'none';
    const isOwn = headers.origin === undefined || headers.origin === `http://${host}`;
    // A link in a mail or a chat may lead to the page, but nothing else may come from another site.
    const isLink = headers['sec-fetch-mode'] === 'navigate' && request.method === 'GET';
    if (!isOwn || !(isLink || site === 'none' || site === 'same-origin'))
      throw refuse('Another page sent this request');
    // Cookies do not know ports, so that two reviews at once need two names.
    const cookie = `review-${portOf(app)}`;
    const { token } = request.query as { token?: unknown };
    if (request.routeOptions.url === '/' && typeof token === 'string' && isSame(token, this.#token)) {
      reply.header('set-cookie', `${cookie}=${token}; Path=/; HttpOnly; SameSite=Lax`);
      return reply.redirect('/', 303);
    }
    if (isSame(cookieOf(request, cookie), this.#token)) return undefined;
    throw refuse('Open the address that dualanodiff review has printed. It changes with each start.');
  }
}

const portOf = (app: FastifyInstance): number => (app.server.address() as AddressInfo).port;
