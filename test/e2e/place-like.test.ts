import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boundingBox } from '../../lib/dataset/fit.js';
import { readMask } from '../../lib/dataset/mask-file.js';
import { Adapter, Dataset, DualAnoDiff, embedded } from '../../lib/index.js';
import { place } from '../../lib/jobs/index.js';
import { cli } from '../helpers/cli.js';
import { expectFailure } from '../helpers/failures.js';
import { contentsOf, recordsOf } from '../helpers/files.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const adapter = join(folder, 'adapter.safetensors');
const like = join(folder, 'misses.jsonl');
let model: DualAnoDiff;

/** A missed defect in the upper left quarter of a photograph of the example set's size. */
const missed = (type: string) => ({
  ...{ type, photograph: { width: 128, height: 128 }, box: { left: 22, top: 26, width: 20, height: 12 } },
  ...{ row: 'none', detector: 'unet', seed: 0, image: `test/${type}/000.png`, area: 180, score: 0.1, threshold: 0.5 },
});

beforeAll(async () => {
  model = await DualAnoDiff.load();
  const settings = { types: ['scratch', 'stain'], steps: 2, resolution: 32, rank: 2, batchSize: 2 } as const;
  const trained = await model.learn(await Dataset.open(embedded.example), settings);
  await trained.save(adapter);
  await trained.dispose();
  const lines = [missed('stain'), missed('scratch'), missed('stain')].map((one) => `${JSON.stringify(one)}\n`);
  writeFileSync(like, lines.join(''));
});
afterAll(() => model?.dispose());

const out = join(folder, 'missed');
const onto = embedded.example;
const drawing = { onto, like, count: 3, steps: 4, seed: 1, foregroundMasks: 'none' };
const options = { adapter, ...drawing };

describe('place with like', () => {
  it('draws defects of every missed type near the places of the missed ones', async () => {
    const { datasets, pairs, failed } = await place({ ...options, out });
    expect(datasets).toEqual(['stain', 'scratch'].map((type) => join(out, type, 'dataset')));
    expect(pairs + failed).toBe(6);
    for (const dataset of datasets) {
      for (const { mask, settings, defects } of recordsOf(dataset)) {
        expect(settings.like).toMatch(/^misses\.jsonl [0-9a-f]{16}$/);
        expect(defects?.map(({ method }) => method)).toEqual(['auto']);
        const box = boundingBox(await readMask(join(dataset, mask ?? '')));
        const [x, y] = [(box?.left ?? 0) + (box?.width ?? 0) / 2, (box?.top ?? 0) + (box?.height ?? 0) / 2];
        expect(Math.abs(x - 32)).toBeLessThan(30); // 13 pixels of jitter, and what the model draws around the shape.
        expect(Math.abs(y - 32)).toBeLessThan(30);
      }
    }
    const again = join(folder, 'again');
    await place({ ...options, out: again });
    expect(contentsOf(again)).toEqual(contentsOf(out));
  });

  it('goes on where it ended, and refuses to mix pairs of other misses', async () => {
    const { pairs, failed } = await place({ ...options, out, count: 4, resume: true });
    expect(pairs + failed).toBe(8);
    const other = join(folder, 'other.jsonl');
    writeFileSync(other, `${JSON.stringify({ ...missed('stain'), box: { left: 0, top: 0, width: 9, height: 9 } })}\n`);
    await expectFailure(place({ ...options, out, like: other, resume: true }), 'ERR_DATASET_INVALID', 'like: ');
  });

  it('draws one type where it is given, into the folder itself', async () => {
    const one = join(folder, 'one');
    const flags = ['--onto', onto, '--adapter', adapter, '--like', like, '--type', 'stain', '--count', '1'];
    const { code, stderr } = await cli(['place', ...flags, '--steps', '4', '--foreground-masks', 'none', '--out', one]);
    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
    expect(recordsOf(one).map(({ type }) => type)).toEqual(['stain']);
  });

  it('names the types that the adapter has not learned, before anything is written', async () => {
    const file = join(folder, 'unknown.jsonl');
    writeFileSync(file, `${JSON.stringify(missed('stain'))}\n${JSON.stringify(missed('dent'))}\n`);
    const nowhere = join(folder, 'nowhere');
    const work = place({ ...options, out: nowhere, like: file });
    await expectFailure(work, 'ERR_INVALID_OPTION', 'some of dent, which the adapter has not learned: give type');
    expect(existsSync(nowhere)).toBe(false);
    const scratch = place({ ...options, out: nowhere, like: file, type: 'scratch' });
    await expectFailure(scratch, 'ERR_INVALID_OPTION', 'missed defects of scratch for like', 'stain, dent');
  });

  it('refuses a place, an empty list, and a file that is not there', async () => {
    const box = place({ ...options, out: join(folder, 'x'), where: '0,0,9,9' });
    await expectFailure(box, 'ERR_INVALID_OPTION', 'auto for where with like');
    const empty = join(folder, 'empty.jsonl');
    writeFileSync(empty, '');
    await expectFailure(
      place({ ...options, out: join(folder, 'x'), like: empty }),
      'ERR_DATASET_INVALID',
      'lists no missed',
    );
    const none = join(folder, 'none.jsonl');
    await expectFailure(place({ ...options, out: join(folder, 'x'), like: none }), 'ERR_DATASET_INVALID', none);
  });

  it('takes a list in the API', async () => {
    const first = model.place(adapter, { ...drawing, like: [missed('stain')], type: 'stain', count: 1 });
    for await (const { mask } of first) expect(boundingBox(mask)?.left).toBeLessThan(64);
    await using loaded = await Adapter.load(adapter);
    const wrong = { ...drawing, like: [{ ...missed('stain'), box: { left: 120, top: 0, width: 20, height: 4 } }] };
    await expectFailure(model.place(loaded, { ...wrong, type: 'stain' }).next(), 'ERR_INVALID_OPTION', 'like');
  });
});
