import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { ReviewList } from '../../lib/review/contract.js';
import { openSession } from '../../lib/review/review.js';
import { ReviewLog } from '../../lib/review/review-log.js';
import { writeExample } from '../helpers/dataset.js';
import { expectFailure } from '../helpers/failures.js';
import {
  asPng,
  copiesOfPairs,
  decide,
  HEIGHT,
  listFile,
  listOf,
  pngOf,
  reviews,
  WIDTH,
  writePairs,
} from '../helpers/reviewing.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const fresh = copiesOfPairs(folder, 3);

const open = reviews();
const start = (pairs = fresh(), sources: { data?: string; onto?: string } = {}) => open(pairs, sources);

describe('the list of pairs', () => {
  it('has what the records say, and what the masks mark', async () => {
    const one = await start();
    const { title, folders, pairs, event } = await listOf(one);
    expect({ title, folders, count: pairs.length, event }).toEqual({
      title: one.pairs.split('/').at(-1),
      folders: [''],
      count: 3,
      event: 0,
    });
    expect(pairs[2]).toEqual({
      ...{ index: 2, type: 'crack', folder: 0, seed: 3, recipe: 'place', width: WIDTH, height: HEIGHT, hasMask: true },
      ...{ contrast: 0.5, changeIou: 0.75, photograph: 'a.png', suspicions: [] },
      ...{ decision: null, isCorrected: false, undoable: null, version: expect.stringMatching(/^[0-9a-f]{16}$/) },
      ...{ area: 3, box: { left: 0, top: 0, width: 3, height: 1 } },
    });
  });

  it('has the pairs of all folders below the reviewed one', async () => {
    const run = join(folder, 'run');
    cpSync(fresh(), join(run, 'crack', 'dataset'), { recursive: true });
    await writePairs(join(run, 'hole', 'dataset'), 1, { type: 'hole' });
    const one = await start(run);
    const { folders, pairs } = await listOf(one);
    expect(folders).toEqual(['crack/dataset', 'hole/dataset']);
    expect(pairs.map(({ folder, index, type }) => [folder, index, type])).toEqual([
      [0, 0, 'crack'],
      [0, 1, 'crack'],
      [0, 2, 'crack'],
      [1, 0, 'hole'],
    ]);
    await decide(one, 3, 'drop');
    expect(existsSync(listFile(join(run, 'hole', 'dataset')))).toBe(true);
    expect(existsSync(listFile(join(run, 'crack', 'dataset')))).toBe(false);
  });

  it('tells what is wrong with the files of a pair', async () => {
    const pairs = fresh();
    rmSync(join(pairs, 'test', 'crack', '000000.png'));
    writeFileSync(join(pairs, 'ground_truth', 'crack', '000001_mask.png'), await pngOf(0, 1, 5, 5));
    writeFileSync(join(pairs, 'ground_truth', 'crack', '000002_mask.png'), 'no picture');
    const one = await start(pairs);
    const problems = (await listOf(one)).pairs.map(({ problem }) => problem);
    expect(problems).toEqual([
      expect.stringContaining('000000.png is missing'),
      expect.stringContaining('5 x 5 pixels, but its image has 12 x 8'),
      expect.stringContaining('000002_mask.png'),
    ]);
    expect((await decide(one, 0, 'drop')).status).toBe(200);
    expect((await one.ask('/api/pairs/0/image')).status).toBe(500);
    const mask = await one.ask('/api/pairs/0/mask', asPng(await pngOf(0, 1)));
    expect(mask.body.toString()).toContain('cannot be corrected');
    expect((await one.ask('/api/pairs/1/mask', asPng(await pngOf(0, 1)))).status).toBe(200);
  });

  it('measures a mask again after it has changed', async () => {
    const pairs = fresh();
    await (await start(pairs)).stop();
    writeFileSync(join(pairs, 'ground_truth', 'crack', '000001_mask.png'), await pngOf(0, 7));
    expect((await listOf(await start(pairs))).pairs.map(({ area }) => area)).toEqual([1, 7, 3]);
  });

  it('has the photograph and the nearest real defect of the same type', async () => {
    const data = join(folder, 'category');
    await writeExample(data, 'crack', 'far', 24, 16, [15, 9, 6]);
    await writeExample(data, 'crack', 'near', 24, 16, [0, 0, 3]);
    await writeExample(data, 'hole', 'other', 24, 16, [0, 0, 2]);
    await writeExample(data, 'train', 'unused', 24, 16, [0, 0, 2]);
    rmSync(join(data, 'test', 'train'), { recursive: true });
    cpSync(join(data, 'test', 'hole', 'other.png'), join(data, 'train', 'good', 'a.png'));
    const one = await start(fresh(), { data });
    const { pairs, photographs, defects } = await listOf(one);
    expect(photographs).toEqual([{ name: 'a.png' }]);
    expect(pairs.map(({ photographId }) => photographId)).toEqual([0, 0, 0]);
    expect(pairs.map(({ defectId }) => defects[defectId as number]?.name)).toEqual(['near', 'near', 'near']);
    const nearest = pairs[0]?.defectId as number;
    expect(defects[nearest]).toEqual({
      name: 'near',
      type: 'crack',
      width: 24,
      height: 16,
      area: 9,
      box: { left: 0, top: 0, width: 3, height: 3 },
    });
    for (const path of ['photographs/0', `defects/${nearest}/image`, `defects/${nearest}/mask`]) {
      const { status, headers, body } = await one.ask(`/api/${path}`);
      expect([status, headers['content-type']]).toEqual([200, 'image/png']);
      expect(await sharp(body).metadata()).toMatchObject({ format: 'png', width: 24, height: 16 });
    }
  });

  it('is refused where there are no pairs', async () => {
    await expectFailure(openSession({ dir: join(folder, 'nowhere') }), 'ERR_DATASET_INVALID', 'nowhere does not exist');
    const data = join(folder, 'no-pairs');
    await writeExample(data, 'crack', '000', 24, 16, [1, 1, 4]);
    await expectFailure(openSession({ dir: data }), 'ERR_DATASET_INVALID', 'holds no generated pairs');
    expect(existsSync(join(data, '.review'))).toBe(false);
  });

  it('is refused with the pair whose type leads out of the folder', async () => {
    const pairs = fresh();
    const list = join(pairs, 'pairs.jsonl');
    writeFileSync(list, readFileSync(list, 'utf8').replaceAll('crack', '../../crack'));
    await expectFailure(openSession({ dir: pairs }), 'ERR_DATASET_INVALID', 'Pair 0', '../../crack');
    await (await ReviewLog.open(pairs)).close(); // The folder is not locked any more.
  });

  it('is open in one process only', async () => {
    const { pairs } = await start();
    await expectFailure(openSession({ dir: pairs }), 'ERR_BUSY', pairs);
  });
});

describe('the pictures of a pair', () => {
  it('are its files', async () => {
    const { ask, pairs } = await start();
    const { status, headers, body } = await ask('/api/pairs/1/mask');
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([200, 'image/png', 'no-store']);
    expect(body).toEqual(readFileSync(join(pairs, 'ground_truth', 'crack', '000001_mask.png')));
  });

  it('are kept by the browser if their version is in the address', async () => {
    const one = await start();
    const { version } = (await listOf(one)).pairs[1] as ReviewList['pairs'][number];
    expect((await one.ask(`/api/pairs/1/mask?v=${version}`)).headers['cache-control']).toContain('immutable');
    expect((await one.ask('/api/pairs/1/mask?v=other')).headers['cache-control']).toBe('no-store');
  });

  it.each(['image', 'outline', 'part', 'mask'])('have a thumbnail of kind %s that is kept', async (kind) => {
    const { ask, pairs } = await start();
    const first = await ask(`/api/pairs/1/thumbnail/${kind}`);
    expect([first.status, first.headers['content-type']]).toEqual([200, 'image/webp']);
    rmSync(join(pairs, 'test'), { recursive: true });
    rmSync(join(pairs, 'part'), { recursive: true });
    rmSync(join(pairs, 'ground_truth'), { recursive: true });
    expect((await ask(`/api/pairs/1/thumbnail/${kind}`)).body).toEqual(first.body);
  });

  it('have another thumbnail after the image has changed', async () => {
    const pairs = fresh();
    const before = await start(pairs);
    const { body } = await before.ask('/api/pairs/1/thumbnail/image');
    await before.stop();
    const white = { create: { width: WIDTH, height: HEIGHT, channels: 3 as const, background: 'white' } };
    await sharp(white)
      .png()
      .toFile(join(pairs, 'test', 'crack', '000001.png'));
    expect((await (await start(pairs)).ask('/api/pairs/1/thumbnail/image')).body).not.toEqual(body);
  });

  it('are not found at addresses that name none', async () => {
    const { ask } = await start();
    const paths = [
      '/api/pairs/3/image',
      '/api/pairs/-1/image',
      '/api/pairs/1e0/image',
      '/api/pairs/0x1/image',
      '/api/pairs/%2e%2e/image',
      '/api/pairs/..%2f..%2fetc%2fpasswd/image',
      '/api/pairs/99999999999999999999/image',
      '/api/pairs/0/secret',
      '/api/pairs/0/constructor',
      '/api/pairs/0/thumbnail/original-mask',
      '/api/pairs/0/thumbnail/__proto__',
      '/api/photographs/0',
      '/api/defects/0/mask',
      '/../../etc/passwd',
    ];
    for (const path of paths) expect((await ask(path)).status, path).toBe(404);
  });
});
