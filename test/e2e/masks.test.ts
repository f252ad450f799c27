import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { iou } from '../../lib/dataset/agreement.js';
import {
  Dataset,
  DualAnoDiff,
  embedded,
  type Mask,
  Masker,
  type PairRecord,
  Sampler,
  Trainer,
} from '../../lib/index.js';
import { campaign, type GenerateJobOptions, generate, type JobEvent, mask } from '../../lib/jobs/index.js';
import { cli, flagsOf } from '../helpers/cli.js';
import { expectFailure } from '../helpers/failures.js';
import { recordsOf } from '../helpers/files.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const adapter = join(folder, 'adapter.safetensors');
let model: DualAnoDiff;

beforeAll(async () => {
  model = await DualAnoDiff.load(embedded.base);
  await using trainer = new Trainer(model, { types: ['stain'], resolution: 64, rank: 8, recipe: 'noise' });
  for await (const _ of trainer.train(await Dataset.open(embedded.example), { steps: 20 }));
  await trainer.save(adapter);
});
afterAll(() => model.dispose());

describe('the job mask', () => {
  it('mask can be called again where the masks lie beside the parts or below them, and takes long names', async () => {
    const parts = join(folder, 'parts');
    mkdirSync(parts);
    const name = 'x'.repeat(240);
    const raw = { width: 16, height: 16, channels: 3 as const };
    const part = Buffer.alloc(3 * 256, 127).fill(10, 300, 400);
    for (const stem of [name, 'a'])
      await sharp(part, { raw })
        .png()
        .toFile(join(parts, `${stem}.png`));
    for (const out of [join(parts, 'masks'), parts]) {
      for (let call = 0; call < 2; call++) {
        expect(await mask({ parts, out, mask: 'threshold' })).toEqual({ out, masks: 2, emptyMasks: 0 });
        const masks = readdirSync(out).filter((file) => file.includes('_mask'));
        expect(masks.sort()).toEqual(['a_mask.png', `${name}_mask.png`]);
      }
      rmSync(join(parts, 'masks'), { recursive: true, force: true });
    }
  });
});

describe('masks from attention', () => {
  it('masks from attention lie on the defect: they fit the part of their own pair far better than those of others', async () => {
    await using sampler = await Sampler.create(model, adapter);
    const [attention, threshold] = [Masker.attention({ threshold: 0.4 }), Masker.threshold()];
    const masks: Record<'found' | 'visible', Mask[]> = { found: [], visible: [] };
    const options = { count: 8, batchSize: 8, steps: 15, scheduler: 'dpmsolver++', seed: 1, attention: true } as const;
    for await (const pair of sampler.sample(options)) {
      expect(pair.attention?.channels).toBe(1);
      const visible = await threshold.maskPair(pair);
      if (visible.coverage < 0.005) continue;
      masks.visible.push(visible);
      masks.found.push(await attention.maskPair(pair));
    }
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const overlaps = masks.found.map((found) => masks.visible.map((visible) => iou(found, visible)));
    const own = overlaps.map((row, i) => row[i] as number);
    const others = overlaps.flatMap((row, i) => row.filter((_, j) => j !== i));
    expect(own.length).toBeGreaterThan(3);
    expect(mean(own)).toBeGreaterThan(2 * mean(others));
  });

  it('attention maps do not change the pairs, and do not depend on the batch', async () => {
    await using sampler = await Sampler.create(model, adapter);
    const draw = async (options: object) => {
      const pairs = [];
      for await (const pair of sampler.sample({ count: 2, steps: 3, ...options })) pairs.push(pair);
      return pairs;
    };
    const [plain, watched] = [await draw({}), await draw({ attention: true })];
    expect(watched.map(({ image }) => image)).toEqual(plain.map(({ image }) => image));
    expect(plain[0]?.attention).toBeUndefined();
    const alone = await draw({ attention: true, batchSize: 1 });
    for (const [k, pair] of watched.entries()) {
      const other = alone[k]?.attention?.data as Uint8Array;
      expect(pair.attention?.data.every((value, i) => Math.abs(value - (other[i] as number)) <= 2)).toBe(true);
    }
    await expect(Masker.attention().maskPair(plain[0] as never)).rejects.toThrow('attention: true');
  });
});

describe('masks of sampled pairs', () => {
  const all = ['u2net', 'attention', 'threshold'] as const;
  const sample = (out: string, more: Partial<GenerateJobOptions>) =>
    generate({ adapter, out, count: 6, steps: 4, mask: [...all], ...more });

  it('several methods note how far they agree, and keepBest drops and takes back the pairs that do not', async () => {
    const out = join(folder, 'all');
    await sample(out, {});
    const before = recordsOf(out);
    expect(before.length).toBe(6);
    for (const record of before) {
      expect(record.maskMethod).toBe('u2net');
      expect(Object.keys(record.agreement ?? {})).toEqual([
        'u2net/attention',
        'u2net/threshold',
        'attention/threshold',
      ]);
      for (const value of Object.values(record.agreement ?? {})) expect(value >= 0 && value <= 1).toBe(true);
    }
    // Half of six are kept, those whose masks agree best.
    const half = await sample(out, { resume: true, keepBest: '50%' });
    const after = recordsOf(out);
    const kept = after.filter((record) => record.dropped === undefined);
    expect(half).toMatchObject({ pairs: kept.length, dropped: 6 - kept.length });
    expect(kept.length).toBeLessThanOrEqual(3);
    const mean = ({ agreement = {} }: PairRecord) => Object.values(agreement).reduce((sum, value) => sum + value, 0);
    const disagreeing = after.filter((record) => record.dropped === 'disagrees');
    for (const bad of disagreeing) for (const good of kept) expect(mean(good)).toBeGreaterThanOrEqual(mean(bad));
    // The folder that a detector is trained on holds what was kept, and nothing is lost.
    expect(readdirSync(join(out, 'test', 'stain')).length).toBe(kept.length);
    for (const record of after) {
      for (const path of [record.image, record.part, record.mask as string])
        expect(existsSync(join(out, path))).toBe(true);
      expect(record.image.startsWith('dropped/')).toBe(record.dropped !== undefined);
    }
    // An agreement of 0 drops only what shows no defect.
    await sample(out, { resume: true, keepBest: '0' });
    expect(recordsOf(out).filter((record) => record.dropped === 'disagrees')).toEqual([]);
  });

  it('the mask of the first method is written', async () => {
    const out = join(folder, 'two');
    await sample(out, { count: 1, mask: ['threshold', 'attention'] });
    expect(recordsOf(out)[0]).toMatchObject({
      maskMethod: 'threshold',
      settings: { mask: ['threshold', 'attention'] },
    });
  });

  it('masks are found by U2-Net where no method is asked for', async () => {
    const out = join(folder, 'default');
    await generate({ adapter, out, count: 1, steps: 2 });
    expect(recordsOf(out)[0]).toMatchObject({ maskMethod: 'u2net', settings: { mask: ['u2net'] } });
  });

  it('with none the pairs have no masks', async () => {
    const out = join(folder, 'no masks');
    expect(await cli(['sample', ...flagsOf({ adapter, out, count: 1, steps: 2, mask: 'none' })])).toMatchObject({
      code: 0,
    });
    expect(recordsOf(out)[0]).not.toHaveProperty('mask');
    expect(readdirSync(out).sort()).toEqual(['pairs.jsonl', 'part', 'test']);
  });

  it.each([
    [['--mask', 'guess'], 'Expected u2net, attention, threshold'],
    [['--mask', 'u2net', '--keep-best', '50%'], 'Expected several methods'],
    [['--mask', 'all', '--keep-best', 'most'], 'Expected a share such as 80%'],
  ])('sample refuses %j before it begins', async (flags, message) => {
    const out = join(folder, 'none');
    const { code, stderr } = await cli(['sample', ...flagsOf({ adapter, out }), ...flags]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(existsSync(out)).toBe(false);
  });

  it('a campaign refuses a rule that its mask methods cannot keep before it trains', async () => {
    const [out, events] = [join(folder, 'none'), [] as JobEvent[]];
    const onEvent = (event: JobEvent) => events.push(event);
    const run = (more: object) => campaign({ data: embedded.example, out, ...more }, { onEvent });
    await expectFailure(run({ mask: ['u2net'], keepBest: '50%' }), 'ERR_INVALID_OPTION', 'Expected several methods');
    await expectFailure(run({ keepBest: '50%' }), 'ERR_INVALID_OPTION', 'Expected several methods'); // The base's default is one.
    await expectFailure(
      run({ mask: [...all], keepBest: 'most' }),
      'ERR_INVALID_OPTION',
      'Expected a share such as 80%',
    );
    expect(existsSync(out)).toBe(false);
    expect(events).toEqual([]);
  });
});
