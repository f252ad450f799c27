/** Requests that a service must refuse, each with an error of a known code, and without harm. */
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { InjectOptions } from 'light-my-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobFileKey } from '../../lib/store/results.js';
import { scratchFolder } from '../helpers/scratch.js';
import { openService, photograph, type TestService } from '../helpers/service.js';
import { tarOf } from '../helpers/tar.js';
import { zipOf } from '../helpers/zip.js';

const scratch = scratchFolder();
const TOKEN = 'a-token-that-is-long-enough';
const authorization = `Bearer ${TOKEN}`;
const UNKNOWN = '0'.repeat(32);
let made: TestService;
let job: string;

const send = (request: InjectOptions) =>
  made.app.inject({ ...request, headers: { authorization, ...request.headers } });

beforeAll(async () => {
  const limits = { archiveBytes: 100_000, unpackedBytes: 200_000, entries: 50 };
  made = await openService(scratch, { token: TOKEN, limits, maxQueued: 3 });
  const image = { name: 'train/good/a.png', content: await photograph() };
  await send({ method: 'PUT', url: '/v1/datasets/tile', payload: tarOf([image]) });
  const payload = { kind: 'check', options: { data: 'tile' } };
  job = (await send({ method: 'POST', url: '/v1/jobs', payload })).json().id;
  await made.store.put(jobFileKey(job, 'a.png'), 'content');
});
afterAll(() => made[Symbol.asyncDispose]());

const post = (payload: unknown, headers = {}): InjectOptions => ({
  ...{ method: 'POST', url: '/v1/jobs', headers: { 'content-type': 'application/json', ...headers } },
  payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
});
const learn = (options: object) => post({ kind: 'learn', options: { data: 'tile', type: 'crack', ...options } });
const put = (name: string, payload: Buffer | string): InjectOptions => ({
  method: 'PUT',
  url: `/v1/datasets/${name}`,
  payload,
});
const file = (path: string): InjectOptions => ({ url: `/v1/jobs/${job}/files/${path}` });
const png = async (name: string) => ({ name, content: await photograph() });
/** A PNG whose header claims this many pixels. */
async function hugePng(): Promise<Buffer> {
  const bytes = Buffer.from(await photograph());
  bytes.writeUInt32BE(60_000, 16);
  bytes.writeUInt32BE(60_000, 20);
  return bytes;
}

type Hostile = [string, () => InjectOptions | Promise<InjectOptions>, number, string];
const requests: Hostile[] = [
  ['no token', () => ({ url: '/v1/jobs', headers: { authorization: '' } }), 401, 'ERR_UNAUTHORIZED'],
  ['a wrong token', () => ({ url: '/v1/jobs', headers: { authorization: 'Bearer wrong' } }), 401, 'ERR_UNAUTHORIZED'],
  [
    'a part of the token',
    () => ({ url: '/v1/jobs', headers: { authorization: authorization.slice(0, -1) } }),
    401,
    'ERR_UNAUTHORIZED',
  ],
  [
    'a longer token',
    () => ({ url: '/v1/jobs', headers: { authorization: `${authorization}x` } }),
    401,
    'ERR_UNAUTHORIZED',
  ],
  [
    'the token by Basic',
    () => ({ url: '/v1/jobs', headers: { authorization: `Basic ${TOKEN}` } }),
    401,
    'ERR_UNAUTHORIZED',
  ],
  [
    'the token in the address',
    () => ({ url: `/v1/jobs?token=${TOKEN}`, headers: { authorization: '' } }),
    401,
    'ERR_UNAUTHORIZED',
  ],
  ['metrics without a token', () => ({ url: '/metrics', headers: { authorization: '' } }), 401, 'ERR_UNAUTHORIZED'],
  ['an unknown address', () => ({ url: '/admin' }), 404, 'ERR_NOT_FOUND'],
  ['a method that the address has not', () => ({ method: 'PATCH', url: '/v1/jobs' }), 405, 'ERR_METHOD_NOT_ALLOWED'],
  ['a method that needs a body', () => ({ method: 'QUERY' as 'GET', url: '/v1/jobs' }), 405, 'ERR_METHOD_NOT_ALLOWED'],
  [
    'a preflight of another site',
    () => ({ method: 'OPTIONS', url: '/v1/jobs', headers: { origin: 'https://a.example' } }),
    405,
    'ERR_METHOD_NOT_ALLOWED',
  ],
  ['a broken escape in the address', () => ({ url: '/v1/jobs/%E0%A4%A' }), 400, 'ERR_INVALID_REQUEST'],
  ['no JSON', () => post('{'), 400, 'ERR_INVALID_REQUEST'],
  ['an empty body', () => post(''), 400, 'ERR_INVALID_REQUEST'],
  ['JSON that is no object', () => post('[]'), 400, 'ERR_INVALID_OPTION'],
  ['JSON that is null', () => post('null'), 400, 'ERR_INVALID_OPTION'],
  [
    'a prototype in the body',
    () => post('{"kind":"check","options":{"data":"tile"},"__proto__":{"priority":1}}'),
    400,
    'ERR_INVALID_REQUEST',
  ],
  [
    'a prototype in the options',
    () => post('{"kind":"check","options":{"data":"tile","constructor":{"prototype":{}}}}'),
    400,
    'ERR_INVALID_REQUEST',
  ],
  ['deeply nested JSON', () => post(`{"kind":${'['.repeat(50_000)}`), 400, 'ERR_INVALID_REQUEST'],
  ['a body of text', () => post('kind=check', { 'content-type': 'text/plain' }), 415, 'ERR_UNSUPPORTED_TYPE'],
  [
    'a form',
    () => post('kind=check', { 'content-type': 'application/x-www-form-urlencoded' }),
    415,
    'ERR_UNSUPPORTED_TYPE',
  ],
  ['a large body', () => post({ kind: 'check', options: { data: 'x'.repeat(300_000) } }), 413, 'ERR_TOO_LARGE'],
  ['an unknown kind', () => post({ kind: 'shell', options: {} }), 400, 'ERR_INVALID_OPTION'],
  ['a kind that objects have', () => post({ kind: 'constructor', options: {} }), 400, 'ERR_INVALID_OPTION'],
  ['no options', () => post({ kind: 'check' }), 400, 'ERR_INVALID_OPTION'],
  ['an unknown option', () => learn({ verbose: true }), 400, 'ERR_INVALID_OPTION'],
  ['an option of the wrong type', () => learn({ steps: '3; rm -rf /' }), 400, 'ERR_INVALID_OPTION'],
  ['an option out of its range', () => learn({ rank: 1e9 }), 400, 'ERR_INVALID_OPTION'],
  [
    'a number that is none',
    () => post('{"kind":"check","options":{"data":"tile"},"priority":1e999}'),
    400,
    'ERR_INVALID_OPTION',
  ],
  ['a path to write to', () => learn({ out: '/tmp/a.safetensors' }), 400, 'ERR_INVALID_OPTION'],
  ['a path as the dataset', () => learn({ data: '/etc' }), 400, 'ERR_INVALID_OPTION'],
  ['a path out of the store', () => learn({ data: '../../etc' }), 400, 'ERR_INVALID_OPTION'],
  ['an address as the dataset', () => learn({ data: 'http://169.254.169.254/' }), 400, 'ERR_INVALID_OPTION'],
  ['a dataset with a zero byte', () => learn({ data: 'tile\0' }), 400, 'ERR_INVALID_OPTION'],
  ['a dataset that is not there', () => learn({ data: 'none' }), 404, 'ERR_NOT_FOUND'],
  ['a path as the base', () => learn({ base: '/root/model' }), 400, 'ERR_INVALID_OPTION'],
  ['a base that is not offered', () => learn({ base: 'sd15' }), 400, 'ERR_INVALID_OPTION'],
  [
    'weights of the client',
    () => post({ kind: 'generate', options: { adapter: job, maskWeights: '/tmp/a.pth' } }),
    400,
    'ERR_INVALID_OPTION',
  ],
  [
    'a path as the adapter',
    () => post({ kind: 'generate', options: { adapter: '/tmp/a.safetensors' } }),
    400,
    'ERR_INVALID_OPTION',
  ],
  [
    'an adapter out of the job',
    () => post({ kind: 'generate', options: { adapter: `${UNKNOWN}/../x.safetensors` } }),
    400,
    'ERR_INVALID_OPTION',
  ],
  [
    'masks of the server',
    () => post({ kind: 'place', options: { adapter: job, onto: 'tile', where: '/etc/passwd' } }),
    400,
    'ERR_INVALID_OPTION',
  ],
  [
    'an idempotency key with a line break',
    () => post({ kind: 'check', options: { data: 'tile' } }, { 'idempotency-key': 'a b' }),
    400,
    'ERR_INVALID_OPTION',
  ],
  [
    'a long idempotency key',
    () => post({ kind: 'check', options: { data: 'tile' } }, { 'idempotency-key': 'x'.repeat(201) }),
    400,
    'ERR_INVALID_OPTION',
  ],
  ['a job that is not there', () => ({ url: `/v1/jobs/${UNKNOWN}` }), 404, 'ERR_JOB_NOT_FOUND'],
  ['an identifier that is none', () => ({ url: '/v1/jobs/..%2f..%2fetc' }), 400, 'ERR_INVALID_OPTION'],
  ['an endless identifier', () => ({ url: `/v1/jobs/${'a'.repeat(2000)}` }), 414, 'ERR_INVALID_REQUEST'],
  ['a page of a million jobs', () => ({ url: '/v1/jobs?limit=1000000' }), 400, 'ERR_INVALID_OPTION'],
  ['a page after a job that is none', () => ({ url: `/v1/jobs?after=${UNKNOWN}` }), 400, 'ERR_INVALID_OPTION'],
  ['a parameter twice', () => ({ url: '/v1/jobs?state=failed&state=queued' }), 400, 'ERR_INVALID_OPTION'],
  ['an unknown parameter', () => ({ url: '/v1/jobs?order=random' }), 400, 'ERR_INVALID_OPTION'],
  [
    'an event that is none',
    () => ({ url: `/v1/jobs/${job}/events`, headers: { 'last-event-id': '1 OR 1=1' } }),
    400,
    'ERR_INVALID_OPTION',
  ],
  ['events of a job that is not there', () => ({ url: `/v1/jobs/${UNKNOWN}/events` }), 404, 'ERR_JOB_NOT_FOUND'],
  ['a file out of the job', () => file('..%2f..%2fa.png'), 400, 'ERR_INVALID_OPTION'],
  ['a hidden file', () => file('.lock'), 400, 'ERR_INVALID_OPTION'],
  ['a file with a backslash', () => file('..%5ca.png'), 400, 'ERR_INVALID_OPTION'],
  ['a file with a zero byte', () => file('a.png%00.html'), 400, 'ERR_INVALID_OPTION'],
  ['a folder as a file', () => file('files'), 404, 'ERR_NOT_FOUND'],
  ['a range behind the end', () => ({ ...file('a.png'), headers: { range: 'bytes=99-' } }), 416, 'ERR_RANGE'],
  ['a dataset named like a path', () => put('..%2fx', ''), 400, 'ERR_INVALID_OPTION'],
  ['a dataset named like a job', () => put(UNKNOWN, ''), 400, 'ERR_INVALID_OPTION'],
  ['an empty archive', () => put('bad', ''), 400, 'ERR_ARCHIVE_INVALID'],
  ['a web page as the archive', () => put('bad', '<!doctype html>'.repeat(99)), 400, 'ERR_ARCHIVE_INVALID'],
  ['an archive that leads out', async () => put('bad', tarOf([await png('../../a.png')])), 400, 'ERR_ARCHIVE_INVALID'],
  [
    'an archive with a link',
    () => put('bad', tarOf([{ name: 'a.png', type: '2', link: '/etc/passwd' }])),
    400,
    'ERR_ARCHIVE_INVALID',
  ],
  [
    'a zip archive with a link',
    () => put('bad', zipOf([{ name: 'a.png', text: '/etc/passwd', mode: 0o120777 }])),
    400,
    'ERR_ARCHIVE_INVALID',
  ],
  [
    'an archive that grows',
    () => put('bad', gzipSync(tarOf([{ name: 'a', content: Buffer.alloc(9e6) }]))),
    413,
    'ERR_TOO_LARGE',
  ],
  ['a large archive', () => put('bad', Buffer.alloc(100_001, 'x')), 413, 'ERR_TOO_LARGE'],
  [
    'an archive of many files',
    () => put('bad', tarOf(Array.from({ length: 51 }, (_, i) => ({ name: `${i}` })))),
    413,
    'ERR_TOO_LARGE',
  ],
  ['an archive without images', () => put('bad', tarOf([{ name: 'a.txt', content: 'x' }])), 400, 'ERR_DATASET_INVALID'],
  ['an image that is none', () => put('bad', tarOf([{ name: 'a.png', content: 'x' }])), 400, 'ERR_DATASET_INVALID'],
  [
    'an image of too many pixels',
    async () => put('bad', tarOf([{ name: 'a.png', content: await hugePng() }])),
    400,
    'ERR_DATASET_INVALID',
  ],
];

describe('the service refuses', () => {
  it.each(requests)('%s', async (_, request, status, code) => {
    const answer = await send(await request());
    const { error, ...more } = answer.json();
    expect([answer.statusCode, error.code]).toEqual([status, code]);
    expect(more).toEqual({});
    // An error tells nothing of the machine, and repeats nothing that is long or secret.
    expect(error.message.length).toBeLessThan(700);
    expect(error.message).not.toContain(scratch);
    expect(answer.body).not.toContain(TOKEN);
  });

  it('all of that without a trace, and still works', async () => {
    expect((await send({ url: '/v1/datasets' })).json().datasets).toMatchObject([{ name: 'tile' }]);
    expect(readdirSync(join(scratch, 'work'))).toEqual([]);
    expect((await send({ url: '/v1/jobs' })).json().jobs).toMatchObject([{ id: job, state: 'completed' }]);
    expect(({} as { priority?: number }).priority).toBeUndefined();
    expect(made.log.some((line) => line.includes('Bearer') || line.includes('wrong'))).toBe(false);
  });

  it('more jobs than may wait', async () => {
    await send({ method: 'POST', url: '/v1/queue/pause' });
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push(await send(post({ kind: 'check', options: { data: 'tile' } })));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([202, 202, 202, 503]);
    expect(answers[3]?.json().error.code).toBe('ERR_QUEUE_FULL');
    expect(answers[3]?.headers['retry-after']).toBe('10');
  });

  it('what is not HTTP, and headers without end', async () => {
    const address = new URL(await made.app.listen({ port: 0, host: '127.0.0.1' }));
    const answerTo = (text: string) =>
      new Promise<string>((resolve) => {
        let answer = '';
        const socket = connect(Number(address.port), '127.0.0.1', () => socket.write(text));
        socket.setEncoding('utf8').on('data', (chunk) => (answer += chunk));
        socket.on('close', () => resolve(answer)).on('error', () => {});
      });
    expect(await answerTo('EHLO example\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*ERR_INVALID_REQUEST/s);
    const long = `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`;
    expect(await answerTo(long)).toMatch(/^HTTP\/1.1 431 .*ERR_INVALID_REQUEST/s);
    const both =
      'POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n';
    expect(await answerTo(both)).toMatch(/^HTTP\/1.1 400 .*ERR_INVALID_REQUEST/s);
  });
});

describe('a service without tokens', () => {
  it('answers only this machine, and no pages of other sites', async () => {
    await using local = await openService(join(scratch, 'local'));
    const status = async (headers: Record<string, string>, method: 'GET' | 'POST' = 'GET') =>
      (await local.app.inject({ method, url: method === 'GET' ? '/v1/jobs' : '/v1/queue/pause', headers })).statusCode;
    expect(await status({ host: '127.0.0.1:8080' })).toBe(200);
    expect(await status({ host: '[::1]:8080' })).toBe(200);
    expect(await status({ host: 'rebound.example:8080' })).toBe(403);
    expect(await status({ host: 'localhost:8080', origin: 'http://localhost:8080' }, 'POST')).toBe(200);
    expect(await status({ host: 'localhost:8080', origin: 'https://a.example' }, 'POST')).toBe(403);
    expect(await status({ host: 'localhost:8080', origin: 'null' }, 'POST')).toBe(403);
  });
});

describe('the limit of requests', () => {
  it('counts each client', async () => {
    await using limited = await openService(join(scratch, 'limited'), { maxRequests: 3 });
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push(await limited.app.inject('/v1/jobs'));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 429]);
    expect(answers[3]?.json().error.code).toBe('ERR_RATE_LIMITED');
    expect((await limited.app.inject('/healthz')).statusCode).toBe(200);
  });
});
