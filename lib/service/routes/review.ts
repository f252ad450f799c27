/** Serves the review of a job's pairs: its page, and the requests of the page, which are those of the command `review`. */
import type { FastifyError, FastifyInstance, FastifyRequest, FastifySchema } from 'fastify';
import type { z } from 'zod';
import { DualAnoDiffError } from '../../core/errors.js';
import { RequestError } from '../../review/request-error.js';
import { decisionSchema, undoSchema } from '../../review/requests.js';
import { addRoutes, type ReviewRoute } from '../../review/routes.js';
import { jobPrefix } from '../../store/results.js';
import { LocalPaths } from '../../worker/local-paths.js';
import type { ServiceContext } from '../context.js';
import { handleError } from '../errors.js';
import type { JobReviews } from '../job-reviews.js';
import type { ReviewKeys } from '../review-keys.js';
import * as schemas from '../review-schemas.js';
import { jobParams } from '../schemas.js';

interface ReviewContext extends ServiceContext {
  reviews: JobReviews;
  keys: ReviewKeys;
}

type Params = z.output<typeof jobParams>;

const quoted = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
const pageOf = (id: string) => `/v1/jobs/${id}/review/`;

/**
 * Returns the commands for a terminal. There are none for a bucket, because copying reviewed files back to it would
 * overwrite what others have decided on the page meanwhile.
 */
export const commandsFor = (place: string, id: string): string[] =>
  place.startsWith('s3://') ? [] : [`dualanodiff review ${quoted(`${place}/${jobPrefix(id)}/files`)}`];

interface Documented {
  summary: string;
  schema: FastifySchema;
  /** The content type of an answer that is no JSON. */
  answers?: string;
  /** The content type of a body that is no JSON. */
  uploads?: string[];
}

const change = { response: { 200: schemas.reviewChange } };
const picture = { querystring: schemas.pictureQuery, response: { 200: schemas.picture } };
const decision = { params: schemas.pairParams, headers: schemas.reviewerHeaders, ...change };
const requests: Record<ReviewRoute, Documented> = {
  listPairs: {
    summary: 'List the pairs of a review.',
    schema: { params: jobParams, response: { 200: schemas.reviewList } },
  },
  listMeasuredPairs: {
    summary:
      'List the pairs that were measured after some others. It waits up to 5 seconds for some, and half a second for more.',
    schema: { params: jobParams, querystring: schemas.measuredQuery, response: { 200: schemas.measuredPairs } },
  },
  decidePair: { summary: 'Keep or drop a pair.', schema: { ...decision, body: decisionSchema } },
  correctMask: { summary: 'Replace the mask of a pair.', schema: decision, uploads: ['image/png'] },
  undoDecision: {
    summary: 'Take the latest change of a pair back.',
    schema: { ...decision, body: undoSchema, response: { ...change.response, 409: schemas.undoneTooLate } },
  },
  followReview: {
    summary: 'Follow the changes of all reviewers.',
    schema: { params: jobParams, querystring: schemas.followQuery, response: { 200: schemas.reviewEvents } },
    answers: 'text/event-stream',
  },
  getPairImage: {
    summary: 'Fetch a picture of a pair.',
    schema: { params: schemas.imageParams, ...picture },
    answers: 'image/png',
  },
  getPairMask: {
    summary: 'Fetch the mask of a pair.',
    schema: { params: schemas.pairParams, ...picture },
    answers: 'image/png',
  },
  getPairThumbnail: {
    summary: 'Fetch a small picture of a pair.',
    schema: { params: schemas.thumbnailParams, ...picture },
    answers: 'image/webp',
  },
  getPhotograph: {
    summary: 'Fetch a photograph that defects were placed in.',
    schema: { params: schemas.photographParams, response: { 200: schemas.picture } },
    answers: 'image/png',
  },
  getDefectImage: {
    summary: 'Fetch the photograph of a real defect.',
    schema: { params: schemas.defectParams, response: { 200: schemas.picture } },
    answers: 'image/png',
  },
  getDefectMask: {
    summary: 'Fetch the mask of a real defect.',
    schema: { params: schemas.defectParams, response: { 200: schemas.picture } },
    answers: 'image/png',
  },
};
/**
 * A page shows many pictures at once, and asks for measured pairs again and again. Neither is a sign of a client that asks
 * too much, and its decisions must not be refused because of them.
 */
const UNLIMITED: readonly ReviewRoute[] = [
  ...(['getPairImage', 'getPairMask', 'getPairThumbnail', 'getPhotograph', 'getDefectImage', 'getDefectMask'] as const),
  'listMeasuredPairs',
];

export async function addReviewRoutes(app: FastifyInstance, context: ReviewContext): Promise<void> {
  const { store, reviews, keys, workFolder } = context;
  app.get<{ Params: Params }>(
    '/v1/jobs/:id/review',
    {
      schema: {
        operationId: 'getReview',
        summary: 'Tell where to review the pairs of a completed job.',
        params: jobParams,
        response: { 200: schemas.reviewDescription },
      },
    },
    async ({ params: { id } }) => {
      await reviews.requirePairs(id);
      return { page: pageOf(id), commands: commandsFor(store.place, id) };
    },
  );
  app.post<{ Params: Params }>(
    '/v1/jobs/:id/review',
    {
      schema: {
        operationId: 'openReview',
        summary: 'Get the cookie that opens the page of the review.',
        params: jobParams,
        response: { 200: schemas.reviewAddress },
      },
    },
    async ({ params: { id }, client, protocol, log }, reply) => {
      await reviews.open(id);
      log.info({ job: id }, 'review opened');
      reply.header('set-cookie', keys.cookieFor(id, client, protocol === 'https'));
      return { page: pageOf(id) };
    },
  );
  await app.register(
    async (child) => {
      const paths = new LocalPaths([workFolder], store.place);
      child.setErrorHandler((error: FastifyError | DualAnoDiffError, request, reply) => {
        const isTold = error instanceof DualAnoDiffError && !(error instanceof RequestError);
        handleError(isTold ? (paths.inError(error) as DualAnoDiffError) : error, request, reply);
      });
      child.addHook('onRequest', async (_request, reply) => {
        reply.header('cross-origin-resource-policy', 'same-origin');
      });
      addRoutes(child, {
        reviewOf: (request: FastifyRequest) => reviews.open((request.params as Params).id),
        optionsOf: (route) => {
          const { summary, schema, answers, uploads } = requests[route];
          const rateLimit = UNLIMITED.includes(route) ? { rateLimit: false as const } : {};
          return {
            exposeHeadRoute: false,
            schema: { operationId: route, summary, ...schema },
            config: { takesReviewKey: true, ...rateLimit, ...(answers && { answers }), ...(uploads && { uploads }) },
          };
        },
      });
    },
    { prefix: '/v1/jobs/:id/review' },
  );
}
