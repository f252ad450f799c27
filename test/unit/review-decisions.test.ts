import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readMask } from '../../lib/dataset/mask-file.js';
import type { ReviewChange } from '../../lib/review/contract.js';
import {
  asJson,
  asPng,
  copiesOfPairs,
  decide,
  HEIGHT,
  json,
  listFile,
  listOf,
  pngOf,
  reviews,
  WIDTH,
} from '../helpers/reviewing.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const fresh = copiesOfPairs(folder, 3);

const open = reviews();
const start = (pairs = fresh(), sources: { data?: string; onto?: string } = {}) => open(pairs, sources);

describe('a decision', () => {
  it('is on the disk before it is answered, and can be taken back', async () => {
    const one = await start();
    const change = json<ReviewChange>(await decide(one, 1, 'drop'));
    expect(change).toMatchObject({ event: 1, id: 1, action: 'drop', state: { decision: 'drop', undoable: 1 } });
    expect(readFileSync(listFile(one.pairs), 'utf8')).toMatch(/^\{"sequence":1,"index":1,.*"action":"drop".*\}\n$/);
    const undone = json<ReviewChange>(await one.ask('/api/pairs/1/undo', asJson('POST', { undoable: 1 })));
    expect(undone).toMatchObject({ event: 2, action: 'undo', state: { decision: null, undoable: null } });
  });

  it('is written once if the page sends it again', async () => {
    const one = await start();
    await decide(one, 1, 'keep');
    expect(json<ReviewChange>(await decide(one, 1, 'keep'))).toMatchObject({ event: 1, state: { undoable: 1 } });
    expect(readFileSync(listFile(one.pairs), 'utf8').trim().split('\n')).toHaveLength(1);
  });

  it('is there when the server is started again', async () => {
    const one = await start();
    await decide(one, 0, 'keep');
    await decide(one, 2, 'drop');
    await one.ask('/api/pairs/1/mask', asPng(await pngOf(20, 24)));
    await one.stop();
    const again = await start(one.pairs);
    expect((await listOf(again)).pairs.map(({ decision, isCorrected, area }) => [decision, isCorrected, area])).toEqual(
      [
        ['keep', false, 1],
        [null, true, 4],
        ['drop', false, 3],
      ],
    );
    expect(again.session.counts()).toEqual({ pairs: 3, kept: 1, dropped: 1, undecided: 1, corrected: 1 });
    const undone = await again.ask('/api/pairs/1/undo', asJson('POST', { undoable: 3 }));
    expect(json<ReviewChange>(undone).state).toMatchObject({ isCorrected: false, area: 2 });
  });

  it('is undone once, even if the answer was lost and the page asks again', async () => {
    const one = await start();
    await decide(one, 0, 'keep');
    await decide(one, 0, 'drop');
    const undo = (reviewer: string) =>
      one.ask('/api/pairs/0/undo', {
        ...asJson('POST', { undoable: 2 }),
        headers: { 'content-type': 'application/json', 'x-reviewer': reviewer },
      });
    for (const answer of [await undo('me'), await undo('me')]) {
      expect(answer.status).toBe(200);
      expect(json<ReviewChange>(answer)).toMatchObject({
        event: 3,
        action: 'undo',
        state: { decision: 'keep', undoable: 1 },
      });
    }
    expect((await undo('other')).status).toBe(409);
    expect(readFileSync(listFile(one.pairs), 'utf8').trim().split('\n')).toHaveLength(3);
  });

  it('of two reviewers at once is the later one, and both get both', async () => {
    const one = await start();
    const decisions = ['keep', 'drop', 'keep', 'drop'].map((decision, i) =>
      one.ask('/api/pairs/0/decision', {
        ...asJson('PUT', { decision }),
        headers: { 'content-type': 'application/json', 'x-reviewer': `r${i % 2}` },
      }),
    );
    const events = (await Promise.all(decisions)).map((answer) => json<ReviewChange>(answer));
    expect(events.map(({ event }) => event)).toEqual([1, 2, 3, 4]);
    expect(one.session.changesAfter(0)).toEqual(events);
    expect(events.map(({ reviewer }) => reviewer)).toEqual(['r0', 'r1', 'r0', 'r1']);
    const late = await one.ask('/api/pairs/0/undo', asJson('POST', { undoable: 3 }));
    expect(late.status).toBe(409);
    expect(json(late)).toMatchObject({ error: { code: 'ERR_CONFLICT' }, state: { decision: 'drop', undoable: 4 } });
  });

  it('that cannot be written is not made', async () => {
    const one = await start();
    rmSync(one.pairs, { recursive: true });
    const answer = await decide(one, 0, 'drop');
    expect([answer.status, json(answer)]).toMatchObject([500, { error: { code: 'ERR_FILE_ACCESS' } }]);
    expect((await listOf(one)).pairs[0]?.decision).toBeNull();
    expect(one.session.event).toBe(0);
  });

  it('that is not valid is refused, and nothing is written', async () => {
    const one = await start();
    const refused: [string, string, string, number][] = [
      ['PUT', '/api/pairs/0/decision', '{"decision":"delete"}', 400],
      ['PUT', '/api/pairs/0/decision', '{"decision":"keep","path":"/etc"}', 400],
      ['PUT', '/api/pairs/0/decision', '{"decision":"keep"', 400],
      ['PUT', '/api/pairs/0/decision', '{"__proto__":{"decision":"keep"}}', 400],
      ['PUT', '/api/pairs/0/decision', '', 400],
      ['PUT', '/api/pairs/7/decision', '{"decision":"keep"}', 404],
      ['PUT', '/api/pairs/0/decision', `"${'a'.repeat(2 ** 21)}"`, 413],
      ['POST', '/api/pairs/0/undo', '{"undoable":"1"}', 400],
      ['POST', '/api/pairs/0/undo', '{"undoable":1}', 409],
      ['POST', '/api/pairs/0/decision', '{"decision":"keep"}', 404],
    ];
    for (const [method, path, body, status] of refused) {
      const answer = await one.ask(path, { method, headers: { 'content-type': 'application/json' }, body });
      expect(answer.status, `${method} ${path} ${body.slice(0, 40)}`).toBe(status);
      expect(json<{ error: { message: string } }>(answer).error.message).toMatch(/\w/);
    }
    expect(existsSync(listFile(one.pairs))).toBe(false);
  });

  it('with a reviewer whose name is no name is refused', async () => {
    const one = await start();
    const headers = { 'content-type': 'application/json', 'x-reviewer': '<b>' };
    expect((await one.ask('/api/pairs/0/decision', { ...asJson('PUT', { decision: 'keep' }), headers })).status).toBe(
      400,
    );
  });
});

describe('a corrected mask', () => {
  it('is kept as a mask of one channel beside the generated one', async () => {
    const one = await start();
    const rgba = await sharp(await pngOf(14, 17))
      .toColourspace('srgb')
      .ensureAlpha()
      .png()
      .toBuffer();
    const change = json<ReviewChange>(await one.ask('/api/pairs/1/mask', asPng(rgba)));
    expect(change.state).toMatchObject({ isCorrected: true, area: 3, box: { left: 2, top: 1, width: 3, height: 1 } });
    const file = join(one.pairs, 'corrected', 'crack', '000001_mask-1.png');
    expect(await sharp(file).metadata()).toMatchObject({ channels: 1, width: WIDTH, height: HEIGHT });
    expect((await readMask(file)).data.indexOf(255)).toBe(14);
    expect((await one.ask('/api/pairs/1/mask')).body).toEqual(readFileSync(file));
    const generated = readFileSync(join(one.pairs, 'ground_truth', 'crack', '000001_mask.png'));
    expect((await one.ask('/api/pairs/1/original-mask')).body).toEqual(generated);
    expect(generated).toEqual(readFileSync(join(fresh(), 'ground_truth', 'crack', '000001_mask.png')));
  });

  const header = (width: number, height: number) => {
    const bytes = Buffer.alloc(33);
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]).copy(bytes);
    bytes.write('IHDR', 12, 'latin1');
    bytes.writeUInt32BE(width, 16);
    bytes.writeUInt32BE(height, 20);
    return bytes;
  };
  it.each([
    [
      'of another size',
      () => pngOf(0, 1, HEIGHT, WIDTH),
      400,
      'Expected 12 x 8 pixels for the mask but received 8 x 12',
    ],
    ['that claims a giant size', async () => header(2 ** 31 - 1, 2 ** 31 - 1), 400, 'received 2147483647 x 2147483647'],
    ['that marks nothing', () => pngOf(0, 0), 400, 'drop the pair'],
    [
      'that is no PNG',
      async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'),
      400,
      'Expected a PNG file',
    ],
    ['that is empty', async () => Buffer.alloc(0), 400, 'Expected a PNG file'],
    ['that has a header only', async () => header(WIDTH, HEIGHT), 422, 'not a readable image'],
    ['that is cut off', async () => (await pngOf(0, 3)).subarray(0, 60), 422, 'not a readable image'],
  ] as [string, () => Promise<Buffer>, number, string][])('%s is refused', async (_, make, status, what) => {
    const one = await start();
    const answer = await one.ask('/api/pairs/0/mask', asPng(await make()));
    expect(answer.status).toBe(status);
    expect(json<{ error: { message: string } }>(answer).error.message).toContain(what);
    expect(existsSync(join(one.pairs, 'corrected'))).toBe(false);
  });

  it('of another content type is refused', async () => {
    const one = await start();
    const headers = { 'content-type': 'image/jpeg' };
    expect((await one.ask('/api/pairs/0/mask', { method: 'PUT', headers, body: 'x' })).status).toBe(415);
    expect((await one.ask('/api/pairs/0/mask', asJson('PUT', {}))).status).toBe(415);
  });
});
