/** Reviews of jobs in the service: who gets in, and what is kept. */
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { InjectOptions } from 'light-my-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPairList } from '../../lib/dataset/pair-list.js';
import { reviewsOf } from '../../lib/dataset/reviews.js';
import type { Job } from '../../lib/queue/job-queue.js';
import { openSession } from '../../lib/review/review.js';
import { readResult } from '../../lib/store/results.js';
import { fetchReviews } from '../../lib/worker/review-files.js';
import { expectFailure } from '../helpers/failures.js';
import { endedJob, pairsOf, runWithPairs } from '../helpers/job-pairs.js';
import { pngOf } from '../helpers/reviewing.js';
import { scratchFolder } from '../helpers/scratch.js';
import { openService, type TestService } from '../helpers/service.js';

const scratch = scratchFolder();
const TOKEN = 'a-token-that-is-long-enough';
const authorization = `Bearer ${TOKEN}`;
let made: TestService;

beforeAll(async () => {
  made = await openService(join(scratch, 'service'), { token: TOKEN, run: runWithPairs(() => made.store, scratch) });
});
afterAll(() => made[Symbol.asyncDispose]());

const newJob = (kind?: 'generate' | 'check') => endedJob(made, kind);
const filesOf = (job: Job) => pairsOf(made, job);
const at = ({ id }: Job, path: string) => `/v1/jobs/${id}/review/api/${path}`;
const ask = (request: InjectOptions) => made.app.inject({ ...request, headers: { authorization, ...request.headers } });
const listOf = async (job: Job) => (await ask({ url: at(job, 'pairs') })).json();
const decide = (job: Job, pair: number, decision: string, headers = {}) =>
  ask({ method: 'PUT', url: at(job, `pairs/${pair}/decision`), payload: { decision }, headers });
const correct = async (job: Job, pair: number, png?: Buffer) =>
  ask({
    ...{ method: 'PUT', url: at(job, `pairs/${pair}/mask`), headers: { 'content-type': 'image/png' } },
    payload: png ?? (await pngOf(0, 7)),
  });

/** Waits until all pairs are measured. */
async function measured(job: Job): Promise<void> {
  while ((await listOf(job)).measured < 3) await wait(10);
}

describe('the review of a job', () => {
  it('is opened with the token, and then by the cookie, which opens nothing else', async () => {
    const [job, other] = [await newJob(), await newJob()];
    const opened = await ask({ method: 'POST', url: `/v1/jobs/${job.id}/review` });
    expect(opened.json()).toEqual({ page: `/v1/jobs/${job.id}/review/` });
    const [header] = [opened.headers['set-cookie']].flat() as string[];
    expect(header).toMatch(new RegExp(`; Path=/v1/jobs/${job.id}/review/; Max-Age=43200; HttpOnly; SameSite=Strict$`));
    const cookie = header?.split(';')[0] as string;
    const status = async (url: string, headers: Record<string, string>, method: 'GET' | 'POST' = 'GET') =>
      (await made.app.inject({ method, url, headers })).statusCode;
    expect(await status(at(job, 'pairs'), { cookie: `a=b; ${cookie}` })).toBe(200);
    expect(await status(at(job, 'pairs'), { cookie, 'sec-fetch-site': 'same-origin' })).toBe(200);
    const refused = [
      await status(at(job, 'pairs'), {}),
      await status(at(job, 'pairs'), { cookie: `${cookie}x` }),
      await status(at(job, 'pairs'), { cookie: 'dualanodiff-review=' }),
      await status(at(job, 'pairs'), { cookie, authorization: 'Bearer wrong' }),
      await status(at(job, 'pairs'), { cookie, 'sec-fetch-site': 'cross-site' }),
      await status(at(job, 'pairs'), { cookie, 'sec-fetch-site': 'same-site' }),
      await status(at(other, 'pairs'), { cookie }),
      await status(`/v1/jobs/${job.id}/review`, { cookie }),
      await status(`/v1/jobs/${job.id}/review`, { cookie }, 'POST'),
      await status('/v1/jobs', { cookie }),
      await status(`/v1/jobs/${job.id}/files`, { cookie }),
    ];
    expect(refused).toEqual(refused.map(() => 401));
    const secure = await ask({
      ...{ method: 'POST', url: `/v1/jobs/${job.id}/review` },
      headers: { 'x-forwarded-proto': 'https' },
    });
    expect(secure.headers['set-cookie']).toMatch(/; Secure$/);
    expect((await ask({ url: `/v1/jobs/${job.id}/review` })).json()).toEqual({
      page: `/v1/jobs/${job.id}/review/`,
      commands: [`dualanodiff review ${join(made.store.place, 'jobs', job.id, 'files')}`],
    });
  });

  it('has a page, whose files need no token and hold nothing of the job', async () => {
    const job = await newJob();
    const page = await made.app.inject({ url: `/v1/jobs/${job.id}/review/` });
    expect(page).toMatchObject({ statusCode: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    for (const url of ['/review/page/main.js', '/review/page.css', '/components/html.js', '/page/main.js']) {
      expect((await made.app.inject({ url })).statusCode).toBe(200);
    }
    expect(page.body).toContain('/review/page/main.js');
    expect(page.body).not.toContain(job.id);
  });

  it('lists the pairs and serves their pictures', async () => {
    const job = await newJob();
    await measured(job);
    const list = await listOf(job);
    expect(list).toMatchObject({ title: `generate ${job.id.slice(0, 8)}`, folders: ['pairs'], event: 0 });
    expect(list.pairs.map(({ area }: { area: number }) => area)).toEqual([1, 2, 3]);
    const { version } = list.pairs[1];
    const image = await ask({ url: at(job, `pairs/1/image?v=${version}`) });
    expect(image.headers).toMatchObject({ 'content-type': 'image/png', 'cross-origin-resource-policy': 'same-origin' });
    expect(image.headers['cache-control']).toContain('immutable');
    expect(image.rawPayload).toEqual(readFileSync(join(filesOf(job), 'test', 'crack', '000001.png')));
    const mask = await ask({ url: at(job, 'pairs/1/mask') }); // It has the same address as the request that replaces it.
    expect(mask.rawPayload).toEqual(readFileSync(join(filesOf(job), 'ground_truth', 'crack', '000001_mask.png')));
    for (const [path, allowed] of [
      ['mask', 'PUT, GET'],
      ['decision', 'PUT'],
      ['undo', 'POST'],
    ]) {
      const refused = await ask({ method: 'DELETE', url: at(job, `pairs/1/${path}`) });
      expect([refused.statusCode, refused.headers.allow]).toEqual([405, allowed]);
    }
    expect((await ask({ url: at(job, 'pairs/1/decision') })).statusCode).toBe(405);
    expect((await ask({ url: at(job, 'pairs/1/thumbnail/outline') })).headers['content-type']).toBe('image/webp');
  });

  it('limits what changes pairs, and neither pictures nor the waiting for measured pairs', async () => {
    const job = await newJob();
    const isLimited = async (path: string) => 'x-ratelimit-limit' in (await ask({ url: at(job, path) })).headers;
    for (const path of ['measured?after=3', 'pairs/0/image', 'pairs/0/thumbnail/image', 'photographs/0']) {
      expect(await isLimited(path)).toBe(false);
    }
    for (const path of ['defects/0/image', 'defects/0/mask']) expect(await isLimited(path)).toBe(false);
    expect(await isLimited('pairs')).toBe(true);
    expect((await decide(job, 0, 'drop')).headers).toHaveProperty('x-ratelimit-limit');
  });

  it('keeps decisions and masks where the jobs that are submitted later find them', async () => {
    const job = await newJob();
    expect((await decide(job, 0, 'drop', { 'x-reviewer': 'anna' })).json()).toMatchObject({
      ...{ event: 1, id: 0, action: 'drop', reviewer: 'anna', state: { decision: 'drop', undoable: 1 } },
    });
    expect((await correct(job, 2)).json()).toMatchObject({ action: 'mask', state: { isCorrected: true, area: 7 } });
    const { files } = (await readResult(made.store, job.id)) as { files: [] };
    const target = join(scratch, 'fetched');
    await fetchReviews(made.store, job.id, files, target);
    expect(existsSync(join(target, 'pairs', 'corrected', 'crack', '000002_mask-2.png'))).toBe(true);
    const { records } = await readPairList(join(filesOf(job), 'pairs.jsonl'));
    const reviews = await reviewsOf(filesOf(job), records);
    expect(reviews.get(0)).toMatchObject({ decision: 'drop' });
    expect(reviews.get(2)?.mask).toMatchObject({ area: 7 });
    expect(readFileSync(join(target, 'pairs', 'reviews.jsonl'))).toEqual(
      readFileSync(join(filesOf(job), 'reviews.jsonl')),
    );
  });

  it('tells every reviewer of each change, and takes nothing back that another one has done since', async () => {
    const job = await newJob();
    const { session } = await listOf(job);
    const address = await made.app.listen({ port: 0, host: '127.0.0.1' });
    const request = get(`${address}${at(job, `events?after=0&session=${session}`)}`, {
      ...{ headers: { authorization }, agent: false },
    });
    const [stream] = (await once(request, 'response')) as [IncomingMessage];
    expect(stream.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    const first = (await decide(job, 1, 'keep', { 'x-reviewer': 'anna' })).json();
    await decide(job, 1, 'drop', { 'x-reviewer': 'ben' });
    let text = '';
    for await (const chunk of stream) {
      text += chunk;
      if (text.includes('"reviewer":"ben"')) break;
    }
    expect(text).toContain('event: change\ndata: {"id":1,"action":"keep","reviewer":"anna"');
    const late = await ask({
      ...{ method: 'POST', url: at(job, 'pairs/1/undo'), payload: { undoable: first.state.undoable } },
    });
    expect(late.statusCode).toBe(409);
    expect(late.json()).toMatchObject({ error: { code: 'ERR_CONFLICT' }, state: { decision: 'drop', undoable: 2 } });
  });

  it('names no path of the machine', async () => {
    const job = await newJob();
    rmSync(join(filesOf(job), 'test', 'crack', '000000.png'));
    writeFileSync(join(filesOf(job), 'test', 'crack', '000001.png'), 'no picture');
    await measured(job);
    const list = await ask({ url: at(job, 'pairs') });
    expect(list.json().pairs[0].problem).toContain('000000.png is missing');
    const image = await ask({ url: at(job, 'pairs/0/image') });
    const thumbnail = await ask({ url: at(job, 'pairs/1/thumbnail/image') });
    expect(image.statusCode).toBe(500);
    expect(thumbnail.json().error.code).toBe('ERR_DATASET_INVALID');
    for (const { body } of [list, image, thumbnail]) expect(body).not.toContain(scratch);
  });

  it('is refused while the command reviews the pairs, and refuses the command', async () => {
    const job = await newJob();
    const session = await openSession({ dir: filesOf(job) });
    const busy = await ask({ method: 'POST', url: `/v1/jobs/${job.id}/review` });
    expect(busy.statusCode).toBe(503);
    expect(busy.json().error).toEqual({ code: 'ERR_BUSY', message: expect.stringContaining('reviewed elsewhere') });
    await session.close();
    await listOf(job);
    await expectFailure(openSession({ dir: filesOf(job) }), 'ERR_BUSY', 'is in use');
  });

  it('is refused for jobs without pairs', async () => {
    const { id } = await newJob('check');
    for (const method of ['GET', 'POST'] as const) {
      const answer = await ask({ method, url: `/v1/jobs/${id}/review` });
      expect([answer.statusCode, answer.json().error.code]).toEqual([404, 'ERR_NOT_FOUND']);
    }
  });
});

describe('requests that a review must refuse', () => {
  let job: Job;
  beforeAll(async () => {
    job = await newJob();
    await measured(job);
  });

  const put = (path: string, payload: unknown, type = 'application/json'): InjectOptions => ({
    ...{ method: 'PUT', url: path, headers: { 'content-type': type } },
    payload: Buffer.isBuffer(payload) || typeof payload === 'string' ? payload : JSON.stringify(payload),
  });
  const requests: [string, (job: Job) => InjectOptions | Promise<InjectOptions>, number, string][] = [
    [
      'a job that is not there',
      () => ({ url: `/v1/jobs/${'0'.repeat(32)}/review/api/pairs` }),
      404,
      'ERR_JOB_NOT_FOUND',
    ],
    ['a job that is a path', () => ({ url: '/v1/jobs/..%2f..%2fx/review/api/pairs' }), 400, 'ERR_INVALID_OPTION'],
    ['a pair that is not there', (one) => ({ url: at(one, 'pairs/3/image') }), 404, 'ERR_NOT_FOUND'],
    ['a pair that is a path', (one) => ({ url: at(one, 'pairs/..%2f0/image') }), 400, 'ERR_INVALID_OPTION'],
    ['a negative pair', (one) => put(at(one, 'pairs/-1/decision'), { decision: 'drop' }), 400, 'ERR_INVALID_OPTION'],
    ['a kind that is none', (one) => ({ url: at(one, 'pairs/0/..%2fpairs.jsonl') }), 400, 'ERR_INVALID_OPTION'],
    ['a kind that objects have', (one) => ({ url: at(one, 'pairs/0/constructor') }), 400, 'ERR_INVALID_OPTION'],
    ['a photograph that is not there', (one) => ({ url: at(one, 'photographs/0') }), 404, 'ERR_NOT_FOUND'],
    ['a defect that is not there', (one) => ({ url: at(one, 'defects/9/mask') }), 404, 'ERR_NOT_FOUND'],
    [
      'a decision that is none',
      (one) => put(at(one, 'pairs/0/decision'), { decision: 'eat' }),
      400,
      'ERR_INVALID_OPTION',
    ],
    ['no decision', (one) => put(at(one, 'pairs/0/decision'), 'null'), 400, 'ERR_INVALID_OPTION'],
    ['a prototype', (one) => put(at(one, 'pairs/0/decision'), '{"__proto__":{}}'), 400, 'ERR_INVALID_REQUEST'],
    [
      'a decision as text',
      (one) => put(at(one, 'pairs/0/decision'), 'drop', 'text/plain'),
      415,
      'ERR_UNSUPPORTED_TYPE',
    ],
    ['a mask as JSON', (one) => put(at(one, 'pairs/0/mask'), {}), 415, 'ERR_UNSUPPORTED_TYPE'],
    ['a mask that is none', (one) => put(at(one, 'pairs/0/mask'), 'GIF89a', 'image/png'), 400, 'ERR_INVALID_OPTION'],
    [
      'a mask of another size',
      async (one) => put(at(one, 'pairs/0/mask'), await pngOf(0, 1, 5, 5), 'image/png'),
      ...([400, 'ERR_INVALID_OPTION'] as const),
    ],
    [
      'a mask that marks nothing',
      async (one) => put(at(one, 'pairs/0/mask'), await pngOf(0, 0), 'image/png'),
      ...([400, 'ERR_INVALID_OPTION'] as const),
    ],
    [
      'a reviewer with a line break',
      (one) => ({
        ...{ method: 'PUT', url: at(one, 'pairs/0/decision'), payload: { decision: 'drop' } },
        headers: { 'x-reviewer': 'a b' },
      }),
      ...([400, 'ERR_INVALID_OPTION'] as const),
    ],
    ['an event that is none', (one) => ({ url: at(one, 'events?after=1e9') }), 400, 'ERR_INVALID_OPTION'],
    ['an earlier session', (one) => ({ url: at(one, 'events?session=other') }), 410, 'ERR_REVIEW_ENDED'],
    ['pairs after no number', (one) => ({ url: at(one, 'measured') }), 400, 'ERR_INVALID_OPTION'],
    [
      'a method that an address has not',
      (one) => ({ method: 'DELETE', url: at(one, 'pairs') }),
      405,
      'ERR_METHOD_NOT_ALLOWED',
    ],
    ['an address that is not there', (one) => ({ url: at(one, 'files') }), 404, 'ERR_NOT_FOUND'],
  ];
  it.each(requests)('%s', async (_name, request, status, code) => {
    const answer = await ask(await request(job));
    expect([answer.statusCode, answer.json().error?.code]).toEqual([status, code]);
    expect(existsSync(join(filesOf(job), 'reviews.jsonl'))).toBe(false);
  });
});
