/** Answers the requests that contract.ts declares. No request holds a path: pictures are named by their places in lists. */
import { readFile } from 'node:fs/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import pLimit from 'p-limit';
import { z } from 'zod';
import { withFileErrors } from '../core/errors.js';
import { encodePng, readImage } from '../dataset/image-file.js';
import type { ImageSource } from '../dataset/image-source.js';
import { readMask } from '../dataset/mask-file.js';
import { checkOptions, integer, oneOf } from '../options/check.js';
import type { PageFiles } from '../report/page-files.js';
import type { EventStreams } from './events.js';
import { RequestError } from './request-error.js';
import type { ReviewSession } from './session.js';
import type { Thumbnails } from './thumbnails.js';

/** A mask of the largest image that is read compresses to less than this. */
const MAX_MASK_BYTES = 2 ** 26;
const IMMUTABLE = 'private, max-age=31536000, immutable';

const imageKinds = ['image', 'part', 'mask', 'original-mask'] as const;
const thumbnailKinds = ['image', 'outline', 'part', 'mask'] as const;
const decisionSchema = z.strictObject({ decision: oneOf(['keep', 'drop']) });
const undoSchema = z.strictObject({ undoable: integer(1) });

/** Returns a number of the address. Throws a RequestError for anything else. */
function numberOf(text: string | undefined): number {
  if (text !== undefined && /^\d{1,9}$/.test(text)) return Number(text);
  throw new RequestError(404, 'ERR_NOT_FOUND', 'Expected a number in the address');
}

const idOf = ({ params }: FastifyRequest) => numberOf((params as { id: string }).id);
const kindOf = <const K extends string>(request: FastifyRequest, kinds: readonly K[]): K | undefined =>
  kinds.find((kind) => kind === (request.params as { kind: string }).kind);

/** Returns the name that a page gave itself. */
function reviewerOf({ headers }: FastifyRequest): string {
  const name = headers['x-reviewer'] ?? '';
  if (typeof name === 'string' && /^[\w-]{0,64}$/.test(name)) return name;
  throw new RequestError(400, 'ERR_BAD_REQUEST', 'Expected up to 64 letters, digits and hyphens for x-reviewer');
}

interface Served {
  thumbnails: Thumbnails;
  streams: EventStreams;
  page: PageFiles;
}

/** Adds the page's files, and what changes and tells what is decided. */
export function addRoutes(app: FastifyInstance, session: ReviewSession, { thumbnails, streams, page }: Served): void {
  for (const [url, { contentType, content }] of page.files) {
    app.get(url, (_request, reply) => reply.type(contentType).send(content));
  }
  app.addContentTypeParser('image/png', { parseAs: 'buffer', bodyLimit: MAX_MASK_BYTES }, (_request, body, done) =>
    done(null, body),
  );
  app.get('/api/pairs', async () => session.list());
  app.get('/api/measured', async (request) =>
    session.measuredAfter(numberOf((request.query as { after?: string }).after)),
  );
  app.put('/api/pairs/:id/decision', async (request) => {
    const { decision } = checkOptions(decisionSchema, request.body);
    return session.decide(idOf(request), decision, reviewerOf(request));
  });
  app.put('/api/pairs/:id/mask', { bodyLimit: MAX_MASK_BYTES }, async (request) => {
    if (!Buffer.isBuffer(request.body)) {
      throw new RequestError(415, 'ERR_BAD_REQUEST', 'Expected a PNG file as image/png for the mask');
    }
    return session.correct(idOf(request), request.body, reviewerOf(request));
  });
  app.post('/api/pairs/:id/undo', async (request) => {
    const { undoable } = checkOptions(undoSchema, request.body);
    return session.undo(idOf(request), undoable, reviewerOf(request));
  });
  app.get('/api/events', (request, reply) => {
    const { after = '0' } = request.query as { after?: string };
    const last = numberOf((request.headers['last-event-id'] as string | undefined) ?? after);
    reply.hijack();
    reply.raw.writeHead(200, { ...reply.getHeaders(), 'content-type': 'text/event-stream' } as Record<string, string>);
    streams.add(reply.raw, last);
  });
  addPictures(app, session, thumbnails);
}

/** Adds the pictures of pairs and the real ones beside them. */
function addPictures(app: FastifyInstance, session: ReviewSession, thumbnails: Thumbnails): void {
  /** Photographs are large, so that only one is decoded at a time. */
  const oneAtATime = pLimit(1);
  /** A picture with a version in its address never changes. */
  const send = (request: FastifyRequest, reply: FastifyReply, type: string, bytes: Buffer) => {
    const { v } = request.query as { v?: string };
    if (v === session.stateOf(idOf(request)).version) reply.header('cache-control', IMMUTABLE);
    return reply.type(type).send(bytes);
  };
  app.get('/api/pairs/:id/:kind', async (request, reply) => {
    const kind = kindOf(request, imageKinds);
    if (!kind) return reply.callNotFound();
    await session.measure(idOf(request)).catch(() => undefined);
    const path = session.fileOf(idOf(request), kind);
    return send(request, reply, 'image/png', await withFileErrors('read', path, () => readFile(path)));
  });
  app.get('/api/pairs/:id/thumbnail/:kind', async (request, reply) => {
    const kind = kindOf(request, thumbnailKinds);
    if (!kind) return reply.callNotFound();
    await session.measure(idOf(request)).catch(() => undefined); // The page gets the problem with the pair.
    const bytes = await thumbnails.get(idOf(request), kind, () => request.raw.socket.destroyed);
    return bytes && send(request, reply, 'image/webp', bytes);
  });
  // Browsers show neither every format nor every depth, so that real images are sent as the package reads them.
  const sendReal = async (reply: FastifyReply, source: ImageSource, read: typeof readImage | typeof readMask) => {
    const bytes = await oneAtATime(async () => encodePng(await read(source)));
    return reply.type('image/png').header('cache-control', 'private, max-age=3600').send(bytes);
  };
  app.get('/api/photographs/:id', (request, reply) => sendReal(reply, session.photograph(idOf(request)), readImage));
  app.get('/api/defects/:id/image', (request, reply) =>
    sendReal(reply, session.defect(idOf(request)).image, readImage),
  );
  app.get('/api/defects/:id/mask', (request, reply) => sendReal(reply, session.defect(idOf(request)).mask, readMask));
}
