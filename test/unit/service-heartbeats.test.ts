/** A stream of events says something now and then, so that no proxy closes it. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { scratchFolder } from '../helpers/scratch.js';
import { openService } from '../helpers/service.js';

const scratch = scratchFolder();
const HEARTBEAT_MS = 15_000;

afterEach(() => {
  vi.useRealTimers();
});

describe('the events of a job that waits', () => {
  it('carry a comment after each quarter of a minute, and none once the client has gone', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    await using made = await openService(join(scratch, 'quiet'));
    await made.queue.pause();
    const { id } = await made.queue.submit({ kind: 'check', options: {}, datasets: {}, priority: 0 });
    const address = await made.app.listen({ port: 0, host: '127.0.0.1' });
    const before = vi.getTimerCount();
    const request = get(`${address}/v1/jobs/${id}/events`, { agent: false });
    request.on('error', () => {}); // It is ended below.
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    let text = '';
    answer.setEncoding('utf8').on('error', () => {});
    answer.on('data', (data) => {
      text += data;
    });
    const until = async (wanted: RegExp) => {
      while (!wanted.test(text)) await wait(20);
    };
    await until(/"queued"/);
    expect(text).not.toContain(': still there');
    vi.advanceTimersByTime(2 * HEARTBEAT_MS);
    await until(/: still there\n\n[\s\S]*: still there\n\n/);
    request.destroy();
    while (vi.getTimerCount() !== before) await wait(20);
  });
});
