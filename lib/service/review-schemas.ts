/** Declares what requests about the review of a job and their answers hold. */
import { z } from 'zod';
import { imageKinds, numberPattern, reviewerPattern, thumbnailKinds } from '../review/requests.js';
import { errorAnswer, jobId } from './schemas.js';

const number = (what: string) => z.string(what).regex(numberPattern, what).describe(`It is ${what}.`);
const params = { id: jobId() };
const pair = number('the place of a pair in the list');
const session = z
  .string('the session of a list')
  .max(64, 'the session of a list')
  .optional()
  .describe('The `session` of the list. A page of an earlier session gets the status 410.');
const version = z.strictObject({
  v: z
    .string('the version of a pair')
    .max(100, 'the version of a pair')
    .optional()
    .describe('The `version` of the pair. An answer that has it can be kept.'),
});

export const pairParams = z.strictObject({ ...params, pair });
export const imageParams = z.strictObject({
  ...{ ...params, pair },
  kind: z.enum(imageKinds, `one of ${imageKinds.join(', ')}`),
});
export const thumbnailParams = z.strictObject({
  ...{ ...params, pair },
  kind: z.enum(thumbnailKinds, `one of ${thumbnailKinds.join(', ')}`),
});
export const photographParams = z.strictObject({ ...params, photograph: number('the place of a photograph') });
export const defectParams = z.strictObject({ ...params, defect: number('the place of a real defect') });
export const pictureQuery = version;
export const measuredQuery = z.strictObject({ after: number('a number of measured pairs'), session });
export const followQuery = z.strictObject({ after: number('the number of an event').optional(), session });
export const reviewerHeaders = z.looseObject({
  'x-reviewer': z
    .string('a name')
    .regex(reviewerPattern, 'up to 64 letters, digits and hyphens')
    .optional()
    .describe('The name by which the events tell who has changed something.'),
});

export const reviewAddress = z
  .object({ page: z.string().describe('The address of the page. The cookie of the answer opens it.') })
  .meta({ id: 'ReviewAddress' });
export const reviewDescription = z
  .object({
    page: z.string().describe('The address of the page. The cookie of POST opens it.'),
    commands: z
      .array(z.string())
      .describe('The line for a terminal on a machine that has the store. There is none for a store in a bucket.'),
  })
  .meta({ id: 'Review' });

const box = z.looseObject({ left: z.int(), top: z.int(), width: z.int(), height: z.int() }).nullable();
const state = {
  decision: z.enum(['keep', 'drop']).nullable(),
  isCorrected: z.boolean().describe('True if somebody has corrected the mask.'),
  area: z.int().describe('The number of marked pixels of the mask in use.'),
  box: box.describe('The smallest box around the marked pixels.'),
  undoable: z.int().nullable().describe('The number of the latest change, which an undo names.'),
  version: z.string().describe('It changes with the files of the pair, and is empty until the pair is measured.'),
};
const reviewPair = z
  .looseObject({
    ...{ index: z.int(), type: z.string(), width: z.int(), height: z.int(), hasMask: z.boolean(), folder: z.int() },
    ...state,
    suspicions: z.array(z.string()).describe('Why somebody should look at the pair first.'),
    problem: z.string().optional().describe('Why the pair cannot be shown as a whole.'),
  })
  .meta({ id: 'ReviewPair' });
export const reviewList = z
  .looseObject({
    title: z.string(),
    session: z.string().describe('Numbers of events and measured pairs count within a session.'),
    folders: z.array(z.string()).describe("The folders of the pairs, relative to the job's files."),
    pairs: z.array(reviewPair).describe('A pair is named by its place in this list.'),
    photographs: z.array(z.object({ name: z.string() })),
    defects: z.array(z.looseObject({ name: z.string(), type: z.string() })).describe("Those of the job's dataset."),
    event: z.int().describe('The number of the latest event.'),
    measured: z.int().describe('The number of pairs that are measured.'),
  })
  .meta({ id: 'ReviewList' });
export const measuredPairs = z
  .object({ event: z.int(), pairs: z.array(z.object({ id: z.int(), pair: reviewPair })) })
  .meta({ id: 'MeasuredPairs' });
export const reviewChange = z
  .object({
    event: z.int().describe('The number of the event.'),
    id: z.int().describe('The place of the pair in the list.'),
    action: z.enum(['keep', 'drop', 'mask', 'undo']),
    reviewer: z.string(),
    state: z.looseObject(state),
  })
  .meta({ id: 'ReviewChange' });
export const undoneTooLate = z
  .object({ error: errorAnswer.shape.error, state: z.looseObject(state).optional() })
  .meta({ id: 'UndoneTooLate' })
  .describe('Another reviewer has changed the pair since. Its state is there.');
export const reviewEvents = z
  .object({
    id: z.string().describe('The number of the event.'),
    event: z.literal('change'),
    data: z.string().describe('A ReviewChange as JSON.'),
  })
  .meta({ id: 'ReviewEvent', description: 'Each event of the stream.' });
export const picture = z.string().describe('The picture.');
