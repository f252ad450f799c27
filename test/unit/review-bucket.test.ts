/** Reviews of pairs in a bucket: they are copied, and what is decided goes back, unless somebody else was first. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../lib/queue/job-queue.js';
import { JobReviews } from '../../lib/service/job-reviews.js';
import { commandsFor } from '../../lib/service/routes/review.js';
import { openStore } from '../../lib/store/open.js';
import { jobFileKey } from '../../lib/store/results.js';
import type { S3Store } from '../../lib/store/s3-store.js';
import { expectFailure } from '../helpers/failures.js';
import { publishPairs } from '../helpers/job-pairs.js';
import { pngOf } from '../helpers/reviewing.js';
import { type S3Server, startS3 } from '../helpers/s3.js';
import { scratchFolder } from '../helpers/scratch.js';

const scratch = scratchFolder();
let s3: S3Server;
let store: S3Store;
let jobs = 0;
beforeAll(async () => {
  mkdirSync(join(scratch, 's3'));
  s3 = await startS3(join(scratch, 's3'));
  store = (await openStore('s3://bucket/here')) as S3Store;
});
afterEach(() => {
  s3.faultOf = () => 'none';
});
afterAll(async () => {
  store.close();
  await s3.stop();
});

async function newJob(): Promise<string> {
  const id = String(jobs++).padStart(32, '0');
  await publishPairs(store, id, scratch);
  return id;
}
const queue = { get: async (id: string) => ({ id, kind: 'generate', options: {} }) as Job };
const notes: string[] = [];
const reviewsIn = (name: string) =>
  new JobReviews({ store, queue, workFolder: join(scratch, name), onNote: (note) => notes.push(note) });
const listOf = async (id: string) => text(await store.get(jobFileKey(id, 'pairs/reviews.jsonl')));

const masksOf = async (id: string) => {
  const keys: string[] = [];
  for await (const { key } of store.list(jobFileKey(id, 'pairs/corrected'))) keys.push(key);
  return keys;
};
/** The folder of a review's copy of the pairs. */
const copyIn = (name: string, id: string) => join(scratch, name, `review-${id}`, 'files', 'pairs');

describe('the review of pairs in a bucket', () => {
  it('keeps each decision and mask in the bucket before it is answered, and finds them there later', async () => {
    const id = await newJob();
    await using reviews = reviewsIn('first');
    const { session } = await reviews.open(id);
    await session.decide(0, 'drop', 'anna');
    expect(await listOf(id)).toMatch(/^\{"sequence":1,"index":0,.*"action":"drop".*\}\n$/);
    await session.correct(2, await pngOf(0, 7), 'anna');
    expect((await listOf(id)).trim().split('\n')).toHaveLength(2);
    expect(await masksOf(id)).toEqual([expect.stringMatching(/\/000002_mask-2-[0-9a-f]{8}\.png$/)]);
    await using others = reviewsIn('second');
    const again = (await others.open(id)).session;
    await again.measureAll();
    expect(again.list().pairs.map(({ decision, area }) => [decision, area])).toEqual([
      ['drop', 1],
      [null, 2],
      [null, 7],
    ]);
  });

  it('refuses a decision that the bucket does not take, and keeps the one before', async () => {
    const id = await newJob();
    await using reviews = reviewsIn('refused');
    const { session } = await reviews.open(id);
    await session.decide(0, 'keep', '');
    s3.faultOf = ({ method }) => (method === 'PUT' ? 500 : 'none');
    await expectFailure(session.decide(0, 'drop', ''), 'ERR_STORE_ACCESS', 'reviews.jsonl');
    s3.faultOf = () => 'none';
    expect(session.stateOf(0)).toMatchObject({ decision: 'keep', undoable: 1 });
    await session.decide(1, 'drop', '');
    expect(await listOf(id)).toMatch(/^\{"sequence":1,"index":0,.*\n\{"sequence":2,"index":1,.*\n$/);
  });

  it('writes only over the version that it has read, and is opened again when another service was first', async () => {
    const id = await newJob();
    await using reviews = reviewsIn('late');
    const { session } = await reviews.open(id);
    await using others = reviewsIn('early');
    await (await others.open(id)).session.decide(0, 'drop', '');
    s3.requests.length = 0;
    s3.faultOf = ({ method }) => (method === 'PUT' ? 412 : 'none'); // The server of the tests knows no conditions.
    await expectFailure(session.decide(1, 'drop', ''), 'ERR_CONFLICT', 'load the page again');
    const put = s3.requests.find(({ line }) => line.startsWith('PUT'));
    expect(put?.headers['if-none-match']).toBe('*');
    s3.faultOf = () => 'none';
    const now = (await reviews.open(id)).session;
    expect(now.name).not.toBe(session.name);
    expect([now.stateOf(0).decision, now.stateOf(1).decision]).toEqual(['drop', null]);
    s3.requests.length = 0;
    await now.decide(1, 'drop', '');
    expect(s3.requests.find(({ line }) => line.startsWith('PUT'))?.headers['if-match']).toMatch(/^"\w+"$/);
    expect((await listOf(id)).trim().split('\n')).toHaveLength(2);
  });

  it('takes a write whose answer was lost as done', async () => {
    const id = await newJob();
    const key = jobFileKey(id, 'a.jsonl');
    await store.put(key, 'line\n');
    s3.faultOf = ({ method }) => (method === 'PUT' ? 412 : 'none');
    expect(await store.replace(key, 'line\n', '"old"')).toBe((await store.read(key)).version);
    expect(await store.replace(key, 'other\n', '"old"')).toBeUndefined();
  });

  it('keeps the masks of two services apart that correct a pair at the same moment', async () => {
    const id = await newJob();
    await using reviews = reviewsIn('one');
    await using others = reviewsIn('other');
    const [one, other] = [(await reviews.open(id)).session, (await others.open(id)).session];
    await one.correct(2, await pngOf(0, 7), '');
    await other.correct(2, await pngOf(0, 9), ''); // The server of the tests knows no conditions, so that it comes later.
    expect(await masksOf(id)).toHaveLength(2);
    await using later = reviewsIn('later');
    const { session } = await later.open(id);
    await session.measureAll();
    expect(session.stateOf(2).area).toBe(9);
    const mask = readFileSync(session.fileOf(2, 'mask'));
    expect(mask).toEqual(readFileSync(other.fileOf(2, 'mask')));
  });

  it('replaces its own write whose answer was lost, and does not take it for that of another service', async () => {
    const id = await newJob();
    await using reviews = reviewsIn('unanswered');
    const { session } = await reviews.open(id);
    await session.decide(0, 'keep', '');
    s3.faultOf = ({ method }) => (method === 'PUT' ? 'unanswered' : 'none');
    await expectFailure(session.decide(1, 'drop', ''), 'ERR_STORE_ACCESS');
    expect((await listOf(id)).trim().split('\n')).toHaveLength(2);
    let puts = 0;
    s3.faultOf = ({ method }) => (method === 'PUT' && puts++ === 0 ? 412 : 'none'); // Its condition does not hold.
    s3.requests.length = 0;
    const { version } = await store.read(jobFileKey(id, 'pairs/reviews.jsonl'));
    await session.decide(2, 'drop', '');
    expect(s3.requests.filter(({ line }) => line.startsWith('PUT')).at(-1)?.headers['if-match']).toBe(version);
    expect(await listOf(id)).toMatch(/^\{"sequence":1,"index":0,.*\n\{"sequence":2,"index":2,.*\n$/);
    expect((await reviews.open(id)).session).toBe(session);
  });

  it('is opened again when its own copy cannot be written, because the bucket has more', async () => {
    const id = await newJob();
    await using reviews = reviewsIn('unwritable');
    const { session } = await reviews.open(id);
    await session.measureAll(); // A pair is decided about after it was measured.
    mkdirSync(join(copyIn('unwritable', id), 'reviews.jsonl'));
    const failed = [session.decide(0, 'drop', ''), session.decide(1, 'drop', '')];
    const messages = ['The change is saved, but the review has ended', 'The review has ended'];
    await Promise.all(failed.map((one, i) => expectFailure(one, 'ERR_REVIEW_ENDED', messages[i] as string)));
    const again = (await reviews.open(id)).session;
    expect(again).not.toBe(session);
    expect([again.stateOf(0).decision, again.stateOf(1).decision]).toEqual(['drop', null]);
  });

  it('has no commands, because they would overwrite what is decided meanwhile', () => {
    expect(commandsFor(store.place, 'a')).toEqual([]);
  });

  it('removes its copy when closing fails', async () => {
    const id = await newJob();
    const reviews = reviewsIn('broken');
    const { session } = await reviews.open(id);
    const close = session.close.bind(session);
    session.close = () => close().then(() => Promise.reject(new Error('the disk is full')));
    await reviews[Symbol.asyncDispose]();
    expect(notes.at(-1)).toBe(`review of the job ${id}: the disk is full`);
    expect(existsSync(copyIn('broken', id))).toBe(false);
  });

  it('removes its copy when it is closed', async () => {
    const id = await newJob();
    const reviews = reviewsIn('copies');
    await reviews.open(id);
    const copy = join(scratch, 'copies', `review-${id}`);
    expect(existsSync(copy)).toBe(true);
    await reviews[Symbol.asyncDispose]();
    expect(existsSync(copy)).toBe(false);
  });
});
