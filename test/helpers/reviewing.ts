/** Folders of small pairs, and servers that review them. */
import { cpSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeAll } from 'vitest';
import { RawImage } from '../../lib/core/image.js';
import { encodePng } from '../../lib/dataset/image-file.js';
import { PairWriter } from '../../lib/dataset/pair-writer.js';
import type { ReviewList } from '../../lib/review/contract.js';
import { openSession } from '../../lib/review/review.js';
import { type ReviewServer, startServer } from '../../lib/review/server.js';
import type { ReviewSession } from '../../lib/review/session.js';

/** The width and height of the pairs. */
export const [WIDTH, HEIGHT] = [12, 8];

/** A mask with the pixels from `from` to `to` marked. */
export const maskOf = (from: number, to: number, width = WIDTH, height = HEIGHT): RawImage =>
  new RawImage({ data: new Uint8Array(width * height).fill(255, from, to), width, height, channels: 1 });

export const pngOf = (from: number, to: number, width = WIDTH, height = HEIGHT): Promise<Buffer> =>
  encodePng(maskOf(from, to, width, height));

/** Writes `count` pairs of a type. The mask of pair k marks k + 1 pixels of the first row. `level` changes all images. */
export async function writePairs(folder: string, count: number, { type = 'crack', level = 90 } = {}): Promise<string> {
  await using writer = await PairWriter.open(folder, { type, recipe: 'place', settings: { level } });
  const data = new Uint8Array(WIDTH * HEIGHT).fill(level);
  const defects = [
    { window: { left: 0, top: 0, side: 8 }, method: 'auto' as const, attempts: 1, contrast: 0.5, fit: 0.75 },
  ];
  for (let index = 0; index < count; index++) {
    data[0] = index;
    const image = new RawImage({ data: data.slice(), width: WIDTH, height: HEIGHT, channels: 1 });
    const mask = maskOf(0, index + 1);
    await writer.write({
      index,
      seed: 3,
      image,
      part: image,
      mask,
      maskMethod: 'placed',
      photograph: 'a.png',
      defects,
    });
  }
  return folder;
}

/** Makes pairs before the tests of a file. Returns a function that copies them to a folder of its own for one test. */
export function copiesOfPairs(folder: string, count: number): () => string {
  const original = join(folder, 'original');
  beforeAll(() => writePairs(original, count));
  let made = 0;
  return () => {
    const pairs = join(folder, `${made++}`);
    cpSync(original, pairs, { recursive: true });
    return pairs;
  };
}

export const listFile = (folder: string): string => join(folder, 'reviews.jsonl');

/** An answer of a server. */
export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** Sends a request with exactly these headers, which `fetch` would not allow. */
export function send(
  address: string,
  {
    method = 'GET',
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(address, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** The files of a page that has no scripts. */
export const page = {
  policy: "default-src 'self'",
  files: new Map([['/', { contentType: 'text/html; charset=utf-8', content: Buffer.from('<!doctype html>') }]]),
};

/** A request of the page. */
interface Sent {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** A review with its server. */
export interface Running {
  pairs: string;
  session: ReviewSession;
  server: ReviewServer;
  /** Sends a request with the cookie of the page. */
  ask(path: string, more?: Sent): Promise<Answer>;
  /** Ends the server, and releases the folder. */
  stop(): Promise<void>;
}

/** Starts reviews, which end with their test. Their pairs are measured, unless `isMeasured` is false. */
export function reviews({
  isMeasured = true,
} = {}): (pairs: string, sources?: { data?: string; onto?: string }) => Promise<Running> {
  const running: Running[] = [];
  afterEach(async () => {
    for (const one of running.splice(0)) await one.stop();
  });
  return async (pairs, sources = {}) => {
    const session = await openSession({ dir: pairs, ...sources });
    if (isMeasured) await session.measureAll();
    const server = await startServer(session, page, 0);
    const { origin } = new URL(server.address);
    const [cookie = ''] = (await send(server.address)).headers['set-cookie'] as string[];
    const headers = { cookie: cookie.split(';')[0] as string };
    const one: Running = {
      ...{ pairs, session, server },
      ask: (path, more = {}) => send(`${origin}${path}`, { ...more, headers: { ...headers, ...more.headers } }),
      async stop() {
        await server.close();
        await session.close();
      },
    };
    running.push(one);
    return one;
  };
}

export const json = <T>({ body }: Answer): T => JSON.parse(body.toString()) as T;
export const asJson = (method: string, value: unknown): Sent => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});
export const asPng = (body: Buffer): Sent => ({ method: 'PUT', headers: { 'content-type': 'image/png' }, body });
export const decide = ({ ask }: Running, id: number, decision: string): Promise<Answer> =>
  ask(`/api/pairs/${id}/decision`, asJson('PUT', { decision }));
export const listOf = async ({ ask }: Running): Promise<ReviewList> => json<ReviewList>(await ask('/api/pairs'));
