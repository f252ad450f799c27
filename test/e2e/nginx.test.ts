/** The nginx in front of the service is that of docs/deployment.md, with other ports and paths. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AbortedError } from '../../lib/core/errors.js';
import type { RunContext } from '../../lib/queue/job-queue.js';
import { freePort } from '../helpers/redis.js';
import { scratchFolder } from '../helpers/scratch.js';
import { openService, photograph, type TestService } from '../helpers/service.js';
import { tarOf } from '../helpers/tar.js';

const folder = scratchFolder();
const TOKEN = 'a-token-that-is-long-enough';
const NAME = 'pairs.example.com';
const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'deployment.md'), 'utf8');
const [, documented = ''] = /^```nginx\n([\s\S]*?)^```$/m.exec(page) ?? [];

let port: number;
let made: TestService;
let running: RunContext | undefined;
let nginx: ChildProcess;

/** Replaces a text that must be there once. */
function replaceOnce(whole: string, part: string, by: string): string {
  expect(whole.split(part)).toHaveLength(2);
  return whole.replace(part, by);
}

function configuration(address: string): string {
  let server = replaceOnce(documented, 'listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`);
  server = replaceOnce(server, '/etc/ssl/pairs.example.com.pem', certificate);
  server = replaceOnce(server, '/etc/ssl/private/pairs.example.com.key', key);
  server = replaceOnce(server, 'http://127.0.0.1:8080', address);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  return `daemon off; pid ${folder}/nginx.pid; error_log stderr; events {} http { access_log off; ${paths.join(' ')}\n${server} }`;
}

async function send(path: string, options: RequestOptions = {}, body?: Buffer): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${TOKEN}`, ...options.headers };
  const sent = request({
    ...{ host: '127.0.0.1', port, path, servername: NAME, ca: readFileSync(certificate), agent: false },
    ...{ ...options, headers },
  });
  sent.end(body);
  const [answer] = await once(sent, 'response');
  return answer as IncomingMessage;
}

beforeAll(async () => {
  const subject = ['-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`];
  const files = ['-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files], {
    stdio: 'ignore',
  });
  made = await openService(join(folder, 'service'), {
    token: TOKEN,
    run: (_, context) => {
      running = context;
      return new Promise((_resolve, reject) =>
        context.signal.addEventListener('abort', () => reject(new AbortedError())),
      );
    },
  });
  const address = await made.app.listen({ port: 0, host: '127.0.0.1' });
  port = await freePort();
  writeFileSync(join(folder, 'nginx.conf'), configuration(address));
  nginx = spawn('nginx', ['-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')], { stdio: 'inherit' });
  nginx.on('error', (error) => {
    throw new Error(`the tests need nginx (apt-get install nginx-light): ${error.message}`);
  });
  const isUp = () =>
    send('/healthz').then(
      ({ statusCode }) => statusCode === 200,
      () => false, // It does not listen yet.
    );
  await vi.waitUntil(isUp, { timeout: 20_000, interval: 100 });
});
afterAll(async () => {
  nginx.kill('SIGTERM');
  await once(nginx, 'exit');
  await made[Symbol.asyncDispose]();
});

describe('nginx in front of the service', () => {
  it('takes large datasets, and gives requests an identifier', async () => {
    const large = { name: 'train/good/notes.bin', content: randomBytes(3_000_000) };
    const archive = tarOf([large, { name: 'train/good/a.png', content: await photograph() }]);
    const answer = await send('/v1/datasets/tile', { method: 'PUT' }, archive);
    expect([answer.statusCode, JSON.parse(await text(answer))]).toMatchObject([200, { name: 'tile', files: 2 }]);
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
  });

  it('passes each event on at once', async () => {
    const { id } = await made.queue.submit({ kind: 'learn', options: {}, datasets: {}, priority: 0 });
    const answer = await send(`/v1/jobs/${id}/events`);
    expect(answer.headers['content-type']).toBe('text/event-stream');
    let received = '';
    answer.setEncoding('utf8').on('data', (data: string) => {
      received += data;
    });
    const { onEvent } = await vi.waitUntil(() => running, { timeout: 20_000 });
    for (const message of ['first', 'second']) {
      onEvent({ event: 'note', message });
      await expect.poll(() => received, { timeout: 20_000 }).toContain(`"${message}"`);
    }
    answer.destroy();
  });

  it('tells the service the address of the client, whatever the client says about it', async () => {
    const statuses = [];
    for (let k = 0; k < 22; k++) {
      const headers = { authorization: 'Bearer guess', 'x-forwarded-for': `192.0.2.${k}` };
      statuses.push((await send('/v1/jobs', { headers })).statusCode);
    }
    expect(statuses.slice(-2)).toEqual([429, 429]);
    expect(statuses[0]).toBe(401);
    expect((await send('/v1/jobs')).statusCode).toBe(200); // This client has used the address before.
  });
});
