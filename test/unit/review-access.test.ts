import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ReviewChange } from '../../lib/review/contract.js';
import { EventStreams } from '../../lib/review/events.js';
import { startServer } from '../../lib/review/server.js';
import { expectFailure } from '../helpers/failures.js';
import { asJson, copiesOfPairs, decide, listFile, page, type Running, reviews, send } from '../helpers/reviewing.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const fresh = copiesOfPairs(folder, 3);

const open = reviews();
const start = (pairs = fresh(), sources: { data?: string; onto?: string } = {}) => open(pairs, sources);

describe('access to a review', () => {
  it('is opened by the address with the token, which does not stay in the address', async () => {
    const { server, ask } = await start();
    const opened = await send(server.address);
    expect([opened.status, opened.headers.location]).toEqual([303, '/']);
    expect(String(opened.headers['set-cookie'])).toMatch(/; HttpOnly; SameSite=/);
    expect((await ask('/')).body.toString()).toBe('<!doctype html>');
  });

  it('is refused without the token, and with another one', async () => {
    const { server } = await start();
    const { origin, searchParams, port } = new URL(server.address);
    const token = searchParams.get('token') as string;
    const other = token.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'));
    for (const path of [
      '/',
      '/api/pairs',
      '/api/pairs/0/image',
      '/api/pairs/0/thumbnail/image',
      '/api/events',
      '/no',
    ]) {
      for (const cookie of ['', `review-${port}=`, `review-${port}=${other}`, `review-1=${token}`]) {
        expect((await send(`${origin}${path}`, { headers: { cookie } })).status, path).toBe(403);
      }
      for (const query of ['?token=', `?token=${other}`, '?token=a&token=b']) {
        expect((await send(`${origin}${path}${query}`)).status, path).toBe(403);
      }
    }
  });

  it('is refused to other hosts and pages, even with the token', async () => {
    const one = await start();
    const refused: Record<string, string>[] = [
      { host: 'evil.example' },
      { host: '127.0.0.1' },
      { host: '127.0.0.1:1' },
      { host: 'localhost.evil.example:80' },
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' },
    ];
    for (const headers of refused) {
      const name = JSON.stringify(headers);
      expect((await one.ask('/api/pairs', { headers })).status, name).toBe(403);
      const sent = {
        ...asJson('PUT', { decision: 'drop' }),
        headers: { 'content-type': 'application/json', ...headers },
      };
      expect((await one.ask('/api/pairs/0/decision', sent)).status, name).toBe(403);
    }
    expect(existsSync(listFile(one.pairs))).toBe(false);
  });

  it('lets no other page read or embed its answers', async () => {
    const { ask } = await start();
    const { headers } = await ask('/', { headers: { 'sec-fetch-site': 'same-origin' } });
    expect(headers).toMatchObject({
      'content-security-policy': page.policy,
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('names a port that is in use', async () => {
    const { session } = await start();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await expectFailure(startServer(session, page, port), 'ERR_BUSY', `Port ${port}`, '--port');
    other.close();
  });
});

describe('the events', () => {
  /** Reads events until there are `count`, and then goes away. */
  async function read({ server, session }: Running, query: string, headers: Record<string, string>, count: number) {
    const { origin, port, searchParams } = new URL(server.address);
    const response = await fetch(`${origin}/api/events${query}`, {
      headers: { cookie: `review-${port}=${searchParams.get('token')}`, ...headers },
    });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('content-security-policy')).toBe(page.policy);
    let text = '';
    const decoder = new TextDecoder();
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    while (text.split('event: change').length <= count) text += decoder.decode((await reader.read()).value);
    await reader.cancel();
    expect(session.event).toBeGreaterThan(0);
    return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => (JSON.parse(data as string) as ReviewChange).event);
  }

  it('reach every page, and pages that were away', async () => {
    const one = await start();
    const pages = [read(one, '', {}, 2), read(one, '', {}, 2)];
    await decide(one, 0, 'keep');
    await decide(one, 1, 'drop');
    expect(await Promise.all(pages)).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(await read(one, '?after=1', {}, 1)).toEqual([2]);
    expect(await read(one, '?after=0', { 'last-event-id': '1' }, 1)).toEqual([2]);
    expect((await one.ask('/api/events?after=x')).status).toBe(404);
  });

  it('reach a page that missed many of them', async () => {
    const state = {
      decision: 'keep' as const,
      isCorrected: false,
      area: 1,
      box: null,
      undoable: 1,
      version: 'x'.repeat(300),
    };
    const changes = Array.from({ length: 10_000 }, (_, i) => ({
      event: i + 1,
      id: i,
      action: 'keep' as const,
      reviewer: '',
      state,
    }));
    const streams = new EventStreams({ changesAfter: (event) => changes.slice(event), subscribe: () => () => {} });
    const server = createHttpServer((_request, response) => {
      streams.add(response, 0);
      streams.close();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { body } = await send(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(body.toString().match(/^id: /gm)).toHaveLength(changes.length);
    server.close();
  });

  it('end with the server, although pages still listen', async () => {
    const one = await start();
    const { origin, port, searchParams } = new URL(one.server.address);
    const headers = { cookie: `review-${port}=${searchParams.get('token')}` };
    const response = await fetch(`${origin}/api/events`, { headers });
    await one.stop();
    expect(await response.text()).toContain('retry:');
    await expect(fetch(origin)).rejects.toThrow();
  });
});
