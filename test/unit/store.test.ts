import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fetchDataset, listDatasets, publishDataset, readDataset } from '../../lib/store/datasets.js';
import { storeKey } from '../../lib/store/keys.js';
import { openStore } from '../../lib/store/open.js';
import type { Store } from '../../lib/store/store.js';
import { downloadFile, readObject, uploadFile } from '../../lib/store/transfer.js';
import { expectFailure } from '../helpers/failures.js';
import { contentsOf } from '../helpers/files.js';
import { type S3Server, startS3 } from '../helpers/s3.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const at = (name: string) => join(folder, name);
const sha256 = (content: Uint8Array | string) => createHash('sha256').update(content).digest('hex');
async function* chunks(...parts: string[]) {
  for (const part of parts) yield Buffer.from(part);
}
async function* broken() {
  yield Buffer.from('only the beginning');
  throw new Error('the source broke');
}
async function keysIn(store: Store, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

let s3: S3Server;
let stores: Record<string, Store>;
beforeAll(async () => {
  mkdirSync(at('s3'));
  s3 = await startS3(at('s3'));
  stores = { folder: await openStore(at('store')), s3: await openStore('s3://bucket/below/here') };
});
afterEach(() => {
  s3.faultOf = () => 'none';
  s3.requests.length = 0;
});
afterAll(async () => {
  for (const store of Object.values(stores)) store.close();
  await s3.stop();
});

it('writes no file any more when it has told that another one cannot be fetched', async () => {
  const data = at('four');
  mkdirSync(data);
  for (const name of ['a', 'b', 'c', 'd']) writeFileSync(join(data, name), name);
  const real = await openStore(at('other-store'));
  const { digest } = await publishDataset(real, 'four', data);
  const slow: Store = Object.create(real, {
    get: {
      value: async (key: string) => {
        if (key.endsWith('/files/a')) throw new Error('no such disk');
        if (key.includes('/files/')) await wait(50);
        return real.get(key);
      },
    },
  });
  await expect(fetchDataset(slow, digest, at('four-fetched'))).rejects.toThrow('no such disk');
  const left = contentsOf(at('four-fetched'));
  await wait(200);
  expect(contentsOf(at('four-fetched'))).toEqual(left);
});

describe.each(['folder', 's3'])('a store in a %s', (kind) => {
  const store = () => stores[kind] as Store;

  it('writes whole objects, and reads all or some of their bytes', async () => {
    const written = await store().put('a/text.txt', chunks('hello ', 'world'));
    expect(written).toEqual({ size: 11, sha256: sha256('hello world') });
    expect(await text(await store().get('a/text.txt'))).toBe('hello world');
    expect(await text(await store().get('a/text.txt', { start: 6, end: 8 }))).toBe('wor');
    expect(await store().head('a/text.txt')).toMatchObject({ key: 'a/text.txt', size: 11 });
    await store().put('a/text.txt', 'second');
    expect(await text(await store().get('a/text.txt'))).toBe('second');
    await store().put('a/empty', '');
    expect(await text(await store().get('a/empty'))).toBe('');
  });

  it('keeps nothing of an object whose content fails midway', async () => {
    await expect(store().put('broken/object', broken())).rejects.toThrow('the source broke');
    expect(await store().head('broken/object')).toBeUndefined();
    expect(await keysIn(store(), 'broken')).toEqual([]);
  });

  it('lists the objects below a prefix alone, sorted, with any letters in their names', async () => {
    const keys = ['list/b/Größe 1+2=3 & más.png', 'list/c.txt', 'list/b/c/d.png', 'list/a.json'];
    for (const key of [...keys, 'listed/other']) await store().put(key, key);
    expect(await keysIn(store(), 'list')).toEqual(keys.sort());
    expect(await keysIn(store(), 'nothing')).toEqual([]);
    for (const key of keys) expect(await text(await store().get(key))).toBe(key);
  });

  it('removes objects, and says which one is missing', async () => {
    await store().put('gone/soon', 'x');
    await store().delete('gone/soon');
    await store().delete('gone/soon');
    expect(await store().head('gone/soon')).toBeUndefined();
    await expectFailure(store().get('gone/soon'), 'ERR_NOT_FOUND', 'There is no object gone/soon');
    expect(await store().head('gone')).toBeUndefined();
  });

  it('refuses keys that lead elsewhere or are hidden', async () => {
    const wrong = [
      '',
      '..',
      '../x',
      'a/../b',
      '/a',
      'a//b',
      'a/',
      '.hidden',
      'a/.b',
      'a\\b',
      'a\0b',
      'a\nb',
      ' a',
      'a ',
    ];
    for (const key of [...wrong, 'a'.repeat(256), Array(60).fill('abcdefghijklmnopqrs').join('/')]) {
      await expect(store().put(key, 'x'), JSON.stringify(key)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
      await expect(store().get(key), JSON.stringify(key)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
    }
  });

  it('keeps a dataset once for each content, and fetches it with its digests checked', async () => {
    const data = at(`data-${kind}`);
    mkdirSync(join(data, 'test', 'crack'), { recursive: true });
    writeFileSync(join(data, 'test', 'crack', '000.png'), 'picture');
    writeFileSync(join(data, 'notes.txt'), 'notes');
    writeFileSync(join(data, '.hidden'), 'hidden');
    symlinkSync('/etc/hostname', join(data, 'link.txt'));
    const first = await publishDataset(store(), 'metal', data);
    expect(first).toMatchObject({ name: 'metal', files: 2, bytes: 12 });
    expect((await publishDataset(store(), 'copy', data)).digest).toBe(first.digest);
    expect(await readDataset(store(), 'metal')).toEqual(first);
    const names: string[] = [];
    for await (const { name } of listDatasets(store())) names.push(name);
    expect(names).toEqual(['copy', 'metal']);
    await fetchDataset(store(), first.digest, at(`fetched-${kind}`));
    expect(Object.keys(contentsOf(at(`fetched-${kind}`)))).toEqual(['notes.txt', 'test/crack/000.png']);
    await store().put(`data/${first.digest}/files/notes.txt`, 'wrong');
    const fetching = fetchDataset(store(), first.digest, at(`again-${kind}`));
    await expectFailure(fetching, 'ERR_STORE_DAMAGED', 'notes.txt');
    expect(existsSync(at(`again-${kind}/notes.txt`))).toBe(false);
  });
});

describe('a store in S3', () => {
  const store = () => stores.s3 as Store;

  it('uploads large objects in parts, each with a checksum', async () => {
    const content = Buffer.alloc(9 * 1024 * 1024, 'dualanodiff');
    writeFileSync(at('large'), content);
    expect(await uploadFile(store(), 'large', at('large'))).toEqual({ size: content.length, sha256: sha256(content) });
    const parts = s3.requests.filter(({ line }) => /^PUT .*partNumber=/.test(line));
    expect(parts.length).toBe(2);
    for (const { headers } of parts) expect(headers['x-amz-checksum-sha256']).toMatch(/=$/);
    await downloadFile(store(), 'large', at('large-again'), { size: content.length, sha256: sha256(content) });
    expect(readFileSync(at('large-again')).equals(content)).toBe(true);
  });

  it.each([
    ['the beginning', (line: string) => line.startsWith('POST') && line.includes('uploads')],
    ['a part', (line: string) => line.includes('partNumber=2')],
    ['the end', (line: string) => line.startsWith('POST') && line.includes('uploadId')],
  ])('tries %s of a large upload again, and leaves no object if that does not help', async (name, isMeant) => {
    const content = Buffer.alloc(9_000_000, name);
    const key = `parts/${name.replaceAll(' ', '-')}`;
    let faults = 2;
    s3.faultOf = ({ method, url }) => (isMeant(`${method} ${url}`) && faults-- > 0 ? 500 : 'none');
    expect(await store().put(key, content)).toEqual({ size: content.length, sha256: sha256(content) });
    expect(faults).toBeLessThan(1);
    faults = Number.POSITIVE_INFINITY;
    await expectFailure(store().put(`${key}-lost`, content), 'ERR_STORE_ACCESS', 'status 500');
    s3.faultOf = () => 'none';
    expect(await store().head(`${key}-lost`)).toBeUndefined();
  });

  it('tries again after errors of the server and cut connections', async () => {
    let faults = 3;
    s3.faultOf = () => (faults-- > 0 ? 500 : 'none');
    const content = 'content that is longer than ten bytes';
    await store().put('retried', content);
    faults = 2;
    s3.faultOf = (request) => (request.method === 'GET' && faults-- > 0 ? 'cut' : 'none');
    expect((await readObject(store(), 'retried')).toString()).toBe(content);
    expect(faults).toBeLessThan(0);
    faults = 2;
    await downloadFile(store(), 'retried', at('retried'));
    expect(readFileSync(at('retried'), 'utf8')).toBe(content);
  });

  it('fails clearly if the errors do not pass', async () => {
    await store().put('lost', 'content that is longer than ten bytes');
    s3.faultOf = () => 503;
    await expectFailure(store().put('lost', 'x'), 'ERR_STORE_ACCESS', 'Cannot write lost in s3://bucket/below/here');
    s3.requests.length = 0;
    await expect(store().get('lost')).rejects.toThrow('the server answered with status 503 (after 5 attempts)');
    expect(s3.requests.length).toBe(5);
    s3.faultOf = () => 500;
    const last = async () => {
      for await (const _ of store().list('below'));
    };
    const others = [() => store().head('lost'), () => store().delete('lost'), last, () => store().read('lost')];
    for (const request of others) await expect(request()).rejects.toThrow('the server answered with status 500');
    s3.faultOf = () => 'cut';
    await expectFailure(downloadFile(store(), 'lost', at('lost')), 'ERR_STORE_ACCESS', 'Cannot read lost');
    expect(existsSync(at('lost'))).toBe(false);
  });

  it('says what is wrong with the bucket or the credentials', async () => {
    await expect((await openStore('s3://no-such-bucket')).put('a', 'b')).rejects.toThrow('there is no such bucket');
    const { AWS_ACCESS_KEY_ID: _, ...known } = process.env;
    const before = process.env;
    process.env = { ...before, AWS_ACCESS_KEY_ID: 'unknown' };
    await expect((await openStore('s3://bucket')).put('a', 'b')).rejects.toThrow('the access key is unknown');
    process.env = { ...known, AWS_EC2_METADATA_DISABLED: 'true' };
    await expect((await openStore('s3://bucket')).put('a', 'b')).rejects.toThrow('found no credentials');
    process.env = before;
  });
});

describe('a store in a folder', () => {
  it('removes what killed writers left, and nothing else', async () => {
    const store = await openStore(at('cleaned'));
    await store.put('jobs/a/files/x.png', 'x');
    const left = at('cleaned/jobs/a/files/y.png.partial-4711-0f3a9c21');
    writeFileSync(left, 'half');
    expect(await keysIn(store, 'jobs')).toEqual(['jobs/a/files/x.png']);
    await store.clean('jobs/a');
    expect(existsSync(left)).toBe(false);
    expect(await keysIn(store, 'jobs')).toEqual(['jobs/a/files/x.png']);
  });

  it('names the folder that cannot be written', async () => {
    writeFileSync(at('file'), '');
    await expectFailure(
      (await openStore(at('file'))).put('a/b', 'x'),
      'ERR_STORE_ACCESS',
      'a part of the path is a file',
    );
  });
});

it('opens no other kind of store', async () => {
  for (const place of ['http://bucket/x', 's3://', 's3://B', 's3://bucket/../x', 'file:///tmp'])
    await expect(openStore(place), place).rejects.toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }));
  expect(storeKey('jobs', 'a/b')).toBe('jobs/a/b');
});
