/** Reviews of pairs in a bucket: they are copied, and what is decided goes back, unless somebody else was first. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../lib/queue/job-queue.js';
import { JobReviews } from '../../lib/service/job-reviews.js';
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
const reviewsIn = (name: string) => new JobReviews({ store, queue, workFolder: join(scratch, name), onNote: () => {} });
const listOf = async (id: string) => text(await store.get(jobFileKey(id, 'pairs/reviews.jsonl')));

describe('the review of pairs in a bucket', () => {
  it('keeps each decision and mask in the bucket before it is answered, and finds them there later', async () => {
    const id = await newJob();
    await using reviews = reviewsIn('first');
    const { session } = await reviews.of(id);
    await session.decide(0, 'drop', 'anna');
    expect(await listOf(id)).toMatch(/^\{"sequence":1,"index":0,.*"action":"drop".*\}\n$/);
    await session.correct(2, await pngOf(0, 7), 'anna');
    expect((await listOf(id)).trim().split('\n')).toHaveLength(2);
    expect(await store.head(jobFileKey(id, 'pairs/corrected/crack/000002_mask-2.png'))).toBeDefined();
    await using others = reviewsIn('second');
    const again = (await others.of(id)).session;
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
    const { session } = await reviews.of(id);
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
    const { session } = await reviews.of(id);
    await using others = reviewsIn('early');
    await (await others.of(id)).session.decide(0, 'drop', '');
    s3.requests.length = 0;
    s3.faultOf = ({ method }) => (method === 'PUT' ? 412 : 'none'); // The server of the tests knows no conditions.
    await expectFailure(session.decide(1, 'drop', ''), 'ERR_CONFLICT', 'load the page again');
    const put = s3.requests.find(({ line }) => line.startsWith('PUT'));
    expect(put?.headers['if-none-match']).toBe('*');
    s3.faultOf = () => 'none';
    const now = (await reviews.of(id)).session;
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

  it('removes its copy when it is closed', async () => {
    const id = await newJob();
    const reviews = reviewsIn('copies');
    await reviews.of(id);
    const copy = join(scratch, 'copies', `review-${id}`);
    expect(existsSync(copy)).toBe(true);
    await reviews[Symbol.asyncDispose]();
    expect(existsSync(copy)).toBe(false);
  });
});
