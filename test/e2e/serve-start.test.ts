/** How the service starts: where it cannot listen, and with the jobs of a process that died. */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { serve } from '../../lib/service/serve.js';
import { expectFailure } from '../helpers/failures.js';
import { scratchFolder } from '../helpers/scratch.js';

const scratch = scratchFolder();
const tokens = join(scratch, 'tokens');
writeFileSync(tokens, 'anna a-long-token-of-anna\n');
const folders = (name: string) => ({ store: join(scratch, name, 'store'), workFolder: join(scratch, name, 'work') });

it.each([
  ['a port that is taken', '127.0.0.1', ': another process uses the port'],
  ['an address of another machine', '192.0.2.7', ': this machine does not have the address'],
])('says in words that it cannot listen on %s', async (name, host, reason) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const context = { signal: new AbortController().signal, onListening: () => {} };
  const serving = serve({ ...folders(name), host, port, tokens }, context);
  await expectFailure(serving, 'ERR_FILE_ACCESS', `Cannot listen on ${host}:${port}${reason}`);
  other.close();
});

it('counts and logs a job that it fails because it ended too many processes', async () => {
  const places = folders('deadly');
  const id = 'd'.repeat(32);
  const job = {
    ...{ id, kind: 'learn', options: { data: 'metal' }, datasets: {}, priority: 50, state: 'running', attempts: 6 },
    ...{ created: '2026-01-01T00:00:00.000Z', lostProcesses: 5 },
  };
  mkdirSync(join(places.store, 'queue'), { recursive: true });
  writeFileSync(join(places.store, 'queue', `${id}.json`), JSON.stringify(job));
  const stop = new AbortController();
  const lines: string[] = [];
  let address = '';
  const onListening = (listening: string) => {
    address = listening;
  };
  const log = { write: (line: string) => lines.push(line) };
  const serving = serve({ ...places, port: 0, tokens }, { signal: stop.signal, onListening, log });
  const ask = async (path: string) => {
    const headers = { authorization: 'Bearer a-long-token-of-anna' };
    return (await fetch(`${address}${path}`, { headers })).text();
  };
  while (address === '') await Promise.race([wait(10), serving]);
  while (!(await ask(`/v1/jobs/${id}`)).includes('"failed"')) await wait(10);
  expect(await ask('/metrics')).toContain('dualanodiff_job_failures_total{kind="learn",code="ERR_WORKER_LOST"} 1');
  stop.abort();
  await serving;
  const failures = lines.map((line) => JSON.parse(line)).filter(({ job }) => job === id);
  expect(failures).toMatchObject([
    { kind: 'learn', code: 'ERR_WORKER_LOST', msg: expect.stringContaining('6 processes') },
  ]);
});
