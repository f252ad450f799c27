/** The routes of the service: jobs, events, files, datasets, and what is told about them. */
import { mkdirSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterEach, describe, expect, it } from 'vitest';
import { AbortedError, DatasetError, FileAccessError, StoreError } from '../../lib/core/errors.js';
import type { Job, RunJob } from '../../lib/queue/job-queue.js';
import { jobFileKey } from '../../lib/store/results.js';
import { scratchFolder } from '../helpers/scratch.js';
import { openService, photograph, type TestService, type TestServiceOptions } from '../helpers/service.js';
import { tarOf } from '../helpers/tar.js';

const scratch = scratchFolder();
const open: TestService[] = [];
let folders = 0;
async function service(options: TestServiceOptions = {}): Promise<TestService> {
  const made = await openService(join(scratch, `${folders++}`), options);
  open.push(made);
  return made;
}
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
});

const untilAborted: RunJob = (_, { signal }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new AbortedError()));
    if (signal.aborted) reject(new AbortedError());
  });

const check = { kind: 'check', options: { data: 'tile' } };

async function upload({ app }: TestService, name = 'tile') {
  const entries = [{ name: 'train/good/a.png', content: await photograph() }];
  const answer = await app.inject({ method: 'PUT', url: `/v1/datasets/${name}`, payload: tarOf(entries) });
  expect(answer.statusCode).toBe(200);
  return answer.json();
}

const submit = async ({ app }: TestService, payload: object = check, headers = {}) =>
  app.inject({ method: 'POST', url: '/v1/jobs', payload, headers });

async function ended({ queue }: TestService, { id }: Job): Promise<Job> {
  for await (const _ of queue.events(id, { signal: AbortSignal.timeout(20_000) }));
  return queue.get(id);
}

describe('the service', () => {
  it('takes a dataset, runs a job with its contents, and lists both', async () => {
    const jobs: Job[] = [];
    const made = await service({ run: async (job) => ({ images: jobs.push(job) }) });
    const dataset = await upload(made);
    expect(dataset).toMatchObject({ name: 'tile', files: 1, leftOut: 0 });
    const answer = await submit(made, { ...check, priority: 7 });
    expect(answer.statusCode).toBe(202);
    const job = answer.json();
    expect(answer.headers.location).toBe(`/v1/jobs/${job.id}`);
    await ended(made, job);
    expect(jobs).toMatchObject([{ ...check, priority: 7, datasets: { tile: dataset.digest } }]);
    const described = await made.app.inject(`/v1/jobs/${job.id}`);
    expect(described.json()).toMatchObject({ state: 'completed', result: { images: 1 } });
    expect((await made.app.inject('/v1/jobs?state=completed&kind=check')).json()).toEqual({ jobs: [described.json()] });
    expect((await made.app.inject('/v1/jobs?state=failed')).json()).toEqual({ jobs: [] });
    const { leftOut: _, ...listed } = dataset;
    expect((await made.app.inject('/v1/datasets')).json()).toEqual({ datasets: [listed] });
    expect((await made.app.inject('/v1/datasets/tile')).json()).toEqual(listed);
  });

  it('keeps the options as they are given, because jobs choose some defaults by that', async () => {
    const jobs: Job[] = [];
    const made = await service({ run: async (job) => ({ images: jobs.push(job) }) });
    await upload(made);
    const options = { data: 'tile', type: 'crack', steps: 3 };
    await ended(made, (await submit(made, { kind: 'learn', options })).json());
    expect(jobs[0]?.options).toEqual(options);
  });

  it('returns the job of an idempotency key', async () => {
    const made = await service();
    await upload(made);
    const key = { 'idempotency-key': 'monday' };
    const first = await submit(made, check, key);
    const second = await submit(made, check, key);
    expect(second.json().id).toBe(first.json().id);
    await upload(made, 'other');
    const other = await submit(made, { kind: 'check', options: { data: 'other' } }, key);
    expect([other.statusCode, other.json().error.code]).toEqual([409, 'ERR_IDEMPOTENCY_CONFLICT']);
  });

  it('cancels and retries', async () => {
    const made = await service({ run: untilAborted });
    await upload(made);
    const job = (await submit(made)).json();
    await wait(20);
    expect((await made.app.inject({ method: 'DELETE', url: `/v1/jobs/${job.id}` })).statusCode).toBe(202);
    expect(await ended(made, job)).toMatchObject({ state: 'cancelled' });
    const retried = await made.app.inject({ method: 'POST', url: `/v1/jobs/${job.id}/retry` });
    expect([retried.statusCode, retried.json().state]).toEqual([202, 'running']);
    const again = await made.app.inject({ method: 'POST', url: `/v1/jobs/${job.id}/retry` });
    expect([again.statusCode, again.json().error.code]).toEqual([409, 'ERR_JOB_STATE']);
  });

  it('pauses and resumes the queue', async () => {
    const made = await service();
    await upload(made);
    expect((await made.app.inject({ method: 'POST', url: '/v1/queue/pause' })).json()).toMatchObject({ paused: true });
    const job = (await submit(made)).json();
    await wait(20);
    expect((await made.app.inject('/v1/queue')).json()).toMatchObject({ paused: true, jobs: { queued: 1 } });
    await made.app.inject({ method: 'POST', url: '/v1/queue/resume' });
    expect(await ended(made, job)).toMatchObject({ state: 'completed' });
  });

  it('lists adapters of single jobs and of campaigns by the names that options take', async () => {
    const result = { types: [{ type: 'crack', adapter: 'crack/adapter.safetensors' }, { type: 'hole' }] };
    const made = await service({ run: async ({ kind }) => (kind === 'campaign' ? result : {}) });
    await upload(made);
    const learned = (await submit(made, { kind: 'learn', options: { data: 'tile', type: 'crack' } })).json();
    await ended(made, learned);
    const campaign = (await submit(made, { kind: 'campaign', options: { data: 'tile' } })).json();
    await ended(made, campaign);
    const { adapters } = (await made.app.inject('/v1/adapters')).json();
    expect(adapters.map(({ name, type }: { name: string; type: string }) => [name, type])).toEqual([
      [`${campaign.id}/crack/adapter.safetensors`, 'crack'],
      [learned.id, 'crack'],
    ]);
    for (const { name } of adapters) {
      expect((await submit(made, { kind: 'generate', options: { adapter: name } })).statusCode).toBe(202);
    }
  });

  it('offers only the bases in its folder', async () => {
    const bases = join(scratch, 'bases');
    mkdirSync(join(bases, 'sd15'), { recursive: true });
    const made = await service({ bases });
    await upload(made);
    const learn = (base: string) => submit(made, { kind: 'learn', options: { data: 'tile', type: 'crack', base } });
    expect((await learn('sd15')).statusCode).toBe(202);
    for (const base of ['sd21', '../bases/sd15', bases]) expect((await learn(base)).statusCode).toBe(400);
  });

  it('tells why a job failed, and counts failures by their codes', async () => {
    const run = async () => {
      throw new DatasetError('tile holds no images');
    };
    const made = await service({ run });
    await upload(made);
    expect(await ended(made, (await submit(made)).json())).toMatchObject({
      error: { code: 'ERR_DATASET_INVALID', message: 'tile holds no images' },
    });
    const metrics = (await made.app.inject('/metrics')).body;
    expect(metrics).toContain('dualanodiff_job_failures_total{kind="check",code="ERR_DATASET_INVALID"} 1');
    expect(metrics).toContain('dualanodiff_jobs{state="failed"} 1');
    expect(metrics).toMatch(/process_resident_memory_bytes \d+/);
    expect(metrics).not.toMatch(/dualanodiff_worker_\w+\{/); // Nobody runs jobs here.
  });

  it('hides the reasons of its own faults, which are in the log', async () => {
    const made = await service();
    made.queue.list = () => Promise.reject(new StoreError('Cannot read x in /srv/store', 'ERR_STORE_ACCESS'));
    const answer = await made.app.inject({ url: '/v1/jobs', headers: { 'x-request-id': 'monday-7' } });
    expect([answer.statusCode, answer.headers['x-request-id']]).toEqual([503, 'monday-7']);
    expect(answer.json().error).toEqual({
      code: 'ERR_STORE_ACCESS',
      message:
        'The store cannot be used now: try again later. The log of the service has the reason at the request monday-7',
    });
    expect(made.log.find((line) => line.includes('/srv/store'))).toContain('monday-7');
  });

  it.each(['ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE', 'EACCES'])(
    'answers 503 while files cannot be written because of %s',
    async (code) => {
      const made = await service();
      const cause = Object.assign(new Error(`${code}: refused, write`), { code });
      const failures = [cause, new Error('refused', { cause }), new FileAccessError('Cannot write /srv/x', { cause })];
      for (const failure of failures) {
        made.queue.list = () => Promise.reject(failure);
        const answer = await made.app.inject({ url: '/v1/jobs' });
        expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '10']);
        expect(answer.json().error).toMatchObject({ code: 'ERR_FILE_ACCESS' });
        expect(answer.body).not.toContain('/srv');
      }
    },
  );

  it('answers 500 for a damaged file and for a fault of the program', async () => {
    const made = await service();
    const missing = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });
    for (const failure of [new FileAccessError('line 3 of /srv/reviews.jsonl is invalid'), missing]) {
      made.queue.list = () => Promise.reject(failure);
      expect((await made.app.inject({ url: '/v1/jobs' })).statusCode).toBe(500);
    }
  });

  it('is ready until it stops', async () => {
    const made = await service();
    expect((await made.app.inject('/readyz')).json()).toEqual({ status: 'ok' });
    made.stop();
    const answer = await made.app.inject('/readyz');
    expect([answer.statusCode, answer.json().error.code]).toEqual([503, 'ERR_NOT_READY']);
    expect((await made.app.inject('/healthz')).statusCode).toBe(200);
  });

  it('serves files, ranges of them, and their list', async () => {
    const made = await service();
    await upload(made);
    const job = (await submit(made)).json();
    for (const path of ['test/Riß/000000.png', 'pairs.jsonl'])
      await made.store.put(jobFileKey(job.id, path), '0123456789');
    const files = `/v1/jobs/${job.id}/files`;
    expect((await made.app.inject(files)).json().files).toEqual([
      { path: 'pairs.jsonl', bytes: 10 },
      { path: 'test/Riß/000000.png', bytes: 10 },
    ]);
    const url = `${files}/test/${encodeURIComponent('Riß')}/000000.png`;
    const whole = await made.app.inject(url);
    expect([whole.statusCode, whole.body, whole.headers['content-type']]).toEqual([200, '0123456789', 'image/png']);
    const ranges: [string, number, string][] = [
      ['bytes=2-4', 206, '234'],
      ['bytes=8-', 206, '89'],
      ['bytes=-3', 206, '789'],
      ['bytes=-99', 206, '0123456789'],
      ['bytes=5-99', 206, '56789'],
      ['bytes=10-', 416, ''],
      ['bytes=-0', 416, ''],
      ['bytes=4-2', 200, '0123456789'],
      ['bytes=0-1,4-5', 200, '0123456789'],
      ['pages=1-2', 200, '0123456789'],
    ];
    for (const [range, status, body] of ranges) {
      const answer = await made.app.inject({ url, headers: { range } });
      expect([range, answer.statusCode]).toEqual([range, status]);
      if (status === 416) expect(answer.headers['content-range']).toBe('bytes */10');
      else expect(answer.body).toBe(body);
      if (status === 206) expect(answer.headers['content-length']).toBe(`${body.length}`);
    }
    const head = await made.app.inject({ method: 'HEAD', url });
    expect([head.statusCode, head.headers['content-length'], head.body]).toEqual([200, '10', '']);
    expect((await made.app.inject(`${files}/none.png`)).statusCode).toBe(404);
  });

  it('has a valid OpenAPI document, whose schemas are those of the options', async () => {
    const made = await service();
    const document = (await made.app.inject('/openapi.json')).json();
    expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
    const { schemas } = document.components;
    expect(schemas.LearnRequest.properties.options.properties.rank).toMatchObject({ default: 32, minimum: 1 });
    for (const kind of ['Learn', 'Generate', 'Place', 'Campaign']) {
      const { properties } = schemas[`${kind}Request`].properties.options;
      for (const name of ['out', 'resume', 'lora', 'maskWeights', 'foregroundMasks'])
        expect(properties).not.toHaveProperty(name);
    }
    const ids = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods as object).map((one) => one.operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).not.toContain(undefined);
    expect(document.security).toBeUndefined(); // This service has no tokens.
    const guarded = await service({ token: 'a-long-token-of-anna' });
    const authorization = 'Bearer a-long-token-of-anna';
    const { security } = (await guarded.app.inject({ url: '/openapi.json', headers: { authorization } })).json();
    expect(security).toEqual([{ token: [] }]);
  });
});

describe('the events of a job', () => {
  /** Reads a stream of events until it ends, or has this many events. */
  function read(address: string, headers: Record<string, string> = {}, enough = Number.POSITIVE_INFINITY) {
    return new Promise<{ status: number; ids: number[]; names: string[]; text: string }>((resolve, reject) => {
      const request = get(address, { headers, agent: false }, (answer) => {
        let text = '';
        const finish = () => {
          const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
          resolve({
            status: answer.statusCode ?? 0,
            ids,
            names: [...text.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name as string),
            text,
          });
        };
        answer.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
          if (text.split('\nid: ').length - 1 < enough) return;
          finish();
          request.destroy();
        });
        answer.on('end', finish);
      });
      request.on('error', reject);
    });
  }

  it('come as they happen, and go on after a lost connection', async () => {
    let finish = () => {};
    const run: RunJob = async (_, { onEvent }) => {
      onEvent({ event: 'progress', stage: 'train', unit: 'steps', done: 1, total: 2, loss: 0.5 });
      await new Promise<void>((resolve) => (finish = resolve));
      onEvent({ event: 'file', path: 'a.png' });
      return { done: true };
    };
    const made = await service({ run });
    await upload(made);
    const address = await made.app.listen({ port: 0 });
    const url = `${address}/v1/jobs/${(await submit(made)).json().id}/events`;
    const first = await read(url, {}, 3);
    expect(first).toMatchObject({ status: 200, ids: [1, 2, 3], names: ['state', 'state', 'progress'] });
    expect(first.text).toContain('"loss":0.5');
    const rest = read(url, { 'last-event-id': '3' });
    finish();
    expect(await rest).toMatchObject({ ids: [4, 5], names: ['file', 'end'] });
    expect(await read(url, { 'last-event-id': '2' })).toMatchObject({ ids: [3, 4, 5] });
    expect(await read(url, { 'last-event-id': '5' })).toMatchObject({ status: 204, ids: [] });
  });

  it('end when the service stops, while the job is still running', async () => {
    const made = await service({ run: untilAborted });
    await upload(made);
    const address = await made.app.listen({ port: 0 });
    const reading = read(`${address}/v1/jobs/${(await submit(made)).json().id}/events`);
    await wait(50);
    made.stop();
    expect(await reading).toMatchObject({ status: 200, names: ['state', 'state'] });
  });

  it('reach 200 clients, and cost nothing when those have gone', async () => {
    let finish = () => {};
    const made = await service({ run: () => new Promise((resolve) => (finish = () => resolve({}))) });
    await upload(made);
    const address = await made.app.listen({ port: 0 });
    const url = `${address}/v1/jobs/${(await submit(made)).json().id}/events`;
    const clients = Array.from({ length: 200 }, (_, i) => read(url, {}, i < 100 ? 2 : undefined));
    await Promise.all(clients.slice(0, 100));
    finish();
    const ends = await Promise.all(clients.slice(100));
    expect(ends.every(({ names }) => names.join() === 'state,state,end')).toBe(true);
    const connections = () => new Promise((resolve) => made.app.server.getConnections((_, count) => resolve(count)));
    while ((await connections()) !== 0) {
      made.app.server.closeIdleConnections(); // Clients that have read all keep theirs for the next request.
      await wait(10);
    }
  });
});
