/** How the service starts: where it cannot listen, and with the jobs of a process that died. */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { serve } from '../../lib/service/serve.js';
import { expectFailure } from '../helpers/failures.js';
import { scratchFolder } from '../helpers/scratch.js';

const scratch = scratchFolder();
const tokens = join(scratch, 'tokens');
writeFileSync(tokens, 'anna a-long-token-of-anna\n');
const folders = (name: string) => ({ store: join(scratch, name, 'store'), workFolder: join(scratch, name, 'work') });

const stops: (() => Promise<void>)[] = [];

/** Starts a service in this process, which ends with the test. Returns its address. */
function start(name: string, options: object, lines: string[] = []): Promise<string> {
  const stop = new AbortController();
  const log = { write: (line: string) => lines.push(line) };
  return new Promise<string>((resolve, reject) => {
    const context = { signal: stop.signal, onListening: resolve, log };
    const serving = serve({ ...folders(name), tokens, ...options }, context);
    serving.catch(reject);
    stops.push(async () => {
      stop.abort();
      await serving.catch(() => {}); // The test has seen the error.
    });
  });
}
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

it.each([
  ['a port that is taken', '127.0.0.1', ': another process uses the port'],
  ['an address of another machine', '192.0.2.7', ': this machine does not have the address'],
])('says in words that it cannot listen on %s', async (name, host, reason) => {
  const other = createServer().listen(0, '127.0.0.1');
  stops.push(async () => {
    other.close();
  });
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  await expectFailure(start(name, { host, port }), 'ERR_FILE_ACCESS', `Cannot listen on ${host}:${port}${reason}`);
});

it('counts and logs a job that it fails because it ended too many processes', async () => {
  const { store } = folders('deadly');
  const id = 'd'.repeat(32);
  const job = {
    ...{ id, kind: 'learn', options: { data: 'metal' }, datasets: {}, priority: 50, state: 'running', attempts: 6 },
    ...{ created: '2026-01-01T00:00:00.000Z', lostProcesses: 5 },
  };
  mkdirSync(join(store, 'queue'), { recursive: true });
  writeFileSync(join(store, 'queue', `${id}.json`), JSON.stringify(job));
  const lines: string[] = [];
  const address = await start('deadly', { port: 0 }, lines);
  const headers = { authorization: 'Bearer a-long-token-of-anna' };
  const ask = async (path: string) => (await fetch(`${address}${path}`, { headers })).text();
  expect(JSON.parse(await ask(`/v1/jobs/${id}`))).toMatchObject({ state: 'failed' });
  expect(await ask('/metrics')).toContain('dualanodiff_job_failures_total{kind="learn",code="ERR_WORKER_LOST"} 1');
  const failures = lines.map((line) => JSON.parse(line)).filter(({ job }) => job === id);
  expect(failures).toMatchObject([
    { kind: 'learn', code: 'ERR_WORKER_LOST', msg: expect.stringContaining('6 processes') },
  ]);
});
