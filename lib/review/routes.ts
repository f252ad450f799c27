/** Answers the requests that contract.ts declares. No request holds a path: pictures are named by their places in lists. */
import { readFile } from 'node:fs/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify';
import pLimit from 'p-limit';
import { withFileErrors } from '../core/errors.js';
import { encodePng, readImage } from '../dataset/image-file.js';
import type { ImageSource } from '../dataset/image-source.js';
import { readMask } from '../dataset/mask-file.js';
import { checkOptions } from '../options/check.js';
import type { EventStreams } from './events.js';
import { RequestError, reviewEnded } from './request-error.js';
import { decisionSchema, imageKinds, numberPattern, reviewerPattern, thumbnailKinds, undoSchema } from './requests.js';
import type { ReviewSession } from './session.js';
import type { Thumbnails } from './thumbnails.js';

/** A mask of the largest image that is read compresses to less than this. */
const MAX_MASK_BYTES = 2 ** 26;
const IMMUTABLE = 'private, max-age=31536000, immutable';

/** A review that is open. */
export interface OpenReview {
  session: ReviewSession;
  thumbnails: Thumbnails;
  streams: EventStreams;
}

/** The names of the requests. A server may document each of them. */
export type ReviewRoute =
  | 'listPairs'
  | 'listMeasuredPairs'
  | 'decidePair'
  | 'correctMask'
  | 'undoDecision'
  | 'followReview'
  | 'getPairImage'
  | 'getPairMask'
  | 'getPairThumbnail'
  | 'getPhotograph'
  | 'getDefectImage'
  | 'getDefectMask';

export interface ReviewServing {
  /** Returns the review that a request is about. */
  reviewOf(request: FastifyRequest): Promise<OpenReview>;
  /** Returns further options of a route. */
  optionsOf?(route: ReviewRoute): RouteShorthandOptions;
}

/** Returns a number of the address. Throws a RequestError for anything else. */
function numberOf(text: string | undefined): number {
  if (text !== undefined && numberPattern.test(text)) return Number(text);
  throw new RequestError(404, 'ERR_NOT_FOUND', 'Expected a number in the address');
}

const placeOf = ({ params }: FastifyRequest, list: 'pair' | 'photograph' | 'defect') =>
  numberOf((params as Record<string, string>)[list]);
const kindOf = <const K extends string>(request: FastifyRequest, kinds: readonly K[]): K | undefined =>
  kinds.find((kind) => kind === (request.params as { kind: string }).kind);

/** Returns the name that a page gave itself. */
function reviewerOf({ headers }: FastifyRequest): string {
  const name = headers['x-reviewer'] ?? '';
  if (typeof name === 'string' && reviewerPattern.test(name)) return name;
  throw new RequestError(400, 'ERR_INVALID_REQUEST', 'Expected up to 64 letters, digits and hyphens for x-reviewer');
}

/** Refuses a page of an earlier review of the pairs, which counted events and measured pairs in another way. */
function requireSession({ query }: FastifyRequest, { name }: ReviewSession): void {
  const { session = name } = query as { session?: string };
  if (session === name) return;
  throw reviewEnded('The review was opened again since: load the page again');
}

/** Adds what changes and tells what is decided. */
export function addRoutes(app: FastifyInstance, { reviewOf, optionsOf = () => ({}) }: ReviewServing): void {
  app.addContentTypeParser('image/png', { parseAs: 'buffer', bodyLimit: MAX_MASK_BYTES }, (_request, body, done) =>
    done(null, body),
  );
  app.get('/api/pairs', optionsOf('listPairs'), async (request) => (await reviewOf(request)).session.list());
  app.get('/api/measured', optionsOf('listMeasuredPairs'), async (request) => {
    const after = numberOf((request.query as { after?: string }).after);
    const { session } = await reviewOf(request);
    requireSession(request, session);
    return session.measuredAfter(after);
  });
  app.put('/api/pairs/:pair/decision', optionsOf('decidePair'), async (request) => {
    const { decision } = checkOptions(decisionSchema, request.body);
    const reviewer = reviewerOf(request);
    return (await reviewOf(request)).session.decide(placeOf(request, 'pair'), decision, reviewer);
  });
  app.put('/api/pairs/:pair/mask', { ...optionsOf('correctMask'), bodyLimit: MAX_MASK_BYTES }, async (request) => {
    if (!Buffer.isBuffer(request.body)) {
      throw new RequestError(415, 'ERR_UNSUPPORTED_TYPE', 'Expected a PNG file as image/png for the mask');
    }
    const reviewer = reviewerOf(request);
    return (await reviewOf(request)).session.correct(placeOf(request, 'pair'), request.body, reviewer);
  });
  app.post('/api/pairs/:pair/undo', optionsOf('undoDecision'), async (request) => {
    const { undoable } = checkOptions(undoSchema, request.body);
    const reviewer = reviewerOf(request);
    return (await reviewOf(request)).session.undo(placeOf(request, 'pair'), undoable, reviewer);
  });
  app.get('/api/events', optionsOf('followReview'), async (request, reply) => {
    const { after = '0' } = request.query as { after?: string };
    const last = numberOf((request.headers['last-event-id'] as string | undefined) ?? after);
    const { session, streams } = await reviewOf(request);
    requireSession(request, session);
    reply.hijack();
    const headers = { ...reply.getHeaders(), 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' };
    reply.raw.writeHead(200, headers as Record<string, string>);
    streams.add(reply.raw, last);
  });
  addPictures(app, { reviewOf, optionsOf });
}

/** Adds the pictures of pairs and the real ones beside them. */
function addPictures(app: FastifyInstance, { reviewOf, optionsOf }: Required<ReviewServing>): void {
  /** Photographs are large, so that only one is decoded at a time. */
  const oneAtATime = pLimit(1);
  /** A picture with a version in its address never changes. */
  const send = (request: FastifyRequest, reply: FastifyReply, version: string, type: string, bytes: Buffer) => {
    const { v } = request.query as { v?: string };
    if (v === version) reply.header('cache-control', IMMUTABLE);
    return reply.type(type).send(bytes);
  };
  const sendImage = async (request: FastifyRequest, reply: FastifyReply, kind: (typeof imageKinds)[number]) => {
    const id = placeOf(request, 'pair');
    const { session } = await reviewOf(request);
    await session.measure(id).catch(() => undefined);
    const path = session.fileOf(id, kind);
    const bytes = await withFileErrors('read', path, () => readFile(path));
    return send(request, reply, session.stateOf(id).version, 'image/png', bytes);
  };
  app.get('/api/pairs/:pair/:kind', optionsOf('getPairImage'), async (request, reply) => {
    const kind = kindOf(request, imageKinds);
    return kind ? sendImage(request, reply, kind) : reply.callNotFound();
  });
  // The service refuses the methods that an address does not have, and the mask has this address to be replaced, too.
  app.get('/api/pairs/:pair/mask', optionsOf('getPairMask'), (request, reply) => sendImage(request, reply, 'mask'));
  app.get('/api/pairs/:pair/thumbnail/:kind', optionsOf('getPairThumbnail'), async (request, reply) => {
    const kind = kindOf(request, thumbnailKinds);
    if (!kind) return reply.callNotFound();
    const id = placeOf(request, 'pair');
    const { session, thumbnails } = await reviewOf(request);
    await session.measure(id).catch(() => undefined); // The page gets the problem with the pair.
    const bytes = await thumbnails.get(id, kind, () => request.raw.socket.destroyed);
    return bytes && send(request, reply, session.stateOf(id).version, 'image/webp', bytes);
  });
  // Browsers show neither every format nor every depth, so that real images are sent as the package reads them.
  const sendReal = async (reply: FastifyReply, source: ImageSource, read: typeof readImage | typeof readMask) => {
    const bytes = await oneAtATime(async () => encodePng(await read(source)));
    return reply.type('image/png').header('cache-control', 'private, max-age=3600').send(bytes);
  };
  app.get('/api/photographs/:photograph', optionsOf('getPhotograph'), async (request, reply) => {
    const { session } = await reviewOf(request);
    return sendReal(reply, session.photograph(placeOf(request, 'photograph')), readImage);
  });
  app.get('/api/defects/:defect/image', optionsOf('getDefectImage'), async (request, reply) => {
    const { session } = await reviewOf(request);
    return sendReal(reply, session.defect(placeOf(request, 'defect')).image, readImage);
  });
  app.get('/api/defects/:defect/mask', optionsOf('getDefectMask'), async (request, reply) => {
    const { session } = await reviewOf(request);
    return sendReal(reply, session.defect(placeOf(request, 'defect')).mask, readMask);
  });
}
