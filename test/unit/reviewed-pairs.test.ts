import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Dataset } from '../../lib/dataset/dataset.js';
import { imagesOfPairs } from '../../lib/dataset/dataset-images.js';
import { readMask } from '../../lib/dataset/mask-file.js';
import { openGenerated } from '../../lib/evaluate/rows.js';
import { exportDataset } from '../../lib/jobs/export.js';
import { openSession } from '../../lib/review/review.js';
import { expectFailure, warningsOf } from '../helpers/failures.js';
import { pngOf, WIDTH, writePairs } from '../helpers/reviewing.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const original = join(folder, 'original');
let made = 0;

/** Copies four pairs of which 0 is kept, 1 is dropped, and 2 has a corrected mask. Nobody has looked at 3. */
beforeAll(async () => {
  await writePairs(original, 4);
  const session = await openSession({ dir: original });
  await session.decide(0, 'keep', '');
  await session.decide(1, 'drop', '');
  await session.correct(2, await pngOf(WIDTH, WIDTH + 2), '');
  await session.close();
});

function reviewed(): string {
  const pairs = join(folder, `${made++}`);
  cpSync(original, pairs, { recursive: true });
  return pairs;
}

/** Where the masks of examples begin, by the examples' names. */
async function masksOf(examples: readonly { name: string; mask: unknown }[]): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const { name, mask } of examples) found[name] = (await readMask(mask as string)).data.indexOf(255);
  return found;
}

const EXPECTED = { '000000': 0, '000002': WIDTH, '000003': 0 };

describe('reviewed pairs', () => {
  it('train without the dropped ones and with corrected masks', async () => {
    const dataset = await Dataset.open(reviewed());
    expect(await masksOf(await dataset.trainingExamples('crack'))).toEqual(EXPECTED);
  });

  it('train and test detectors in the same way', async () => {
    const { types } = await openGenerated(reviewed(), ['crack']);
    expect(await masksOf(types.get('crack') ?? [])).toEqual(EXPECTED);
    const run = join(folder, 'run');
    cpSync(original, join(run, 'crack', 'dataset'), { recursive: true });
    expect(await masksOf((await openGenerated(run, ['crack'])).types.get('crack') ?? [])).toEqual(EXPECTED);
  });

  it('are counted in a warning', async () => {
    const pairs = reviewed();
    const warnings = await warningsOf(async () => (await Dataset.open(pairs)).examples('crack'));
    expect(warnings).toEqual([`Review of ${pairs}: dropped pairs, which are left out: 1; corrected masks: 1.`]);
  });

  it('are exported with masks and records that are true', async () => {
    const pairs = reviewed();
    const out = join(folder, 'masks');
    const result = await exportDataset({ data: pairs, format: 'masks', out });
    expect(result).toMatchObject({ images: 3, synthetic: 3, types: { crack: 3 } });
    const lines = readFileSync(join(out, 'files.jsonl'), 'utf8').trim().split('\n');
    const records = lines.map((line) => JSON.parse(line).pair);
    const [kept, corrected, other] = records;
    expect(kept).toMatchObject({ index: 0, maskMethod: 'placed', review: { decision: 'keep', maskCorrected: false } });
    expect(corrected).toMatchObject({
      ...{ index: 2, coverage: 2 / 96, empty: false, mask: 'corrected/crack/000002_mask-3.png' },
      review: { maskCorrected: true },
    });
    for (const stale of ['maskMethod', 'touches', 'agreement']) expect(corrected).not.toHaveProperty(stale);
    expect(corrected.defects).toEqual([
      { window: { left: 0, top: 0, side: 8 }, method: 'auto', attempts: 1, contrast: 0.5 },
    ]);
    expect(other.index).toBe(3);
    expect(other).not.toHaveProperty('review');
  });

  it('are an error if all of them were dropped', async () => {
    const pairs = reviewed();
    const session = await openSession({ dir: pairs });
    for (const id of [0, 2, 3]) await session.decide(id, 'drop', '');
    await session.close();
    await expectFailure(imagesOfPairs(pairs), 'ERR_DATASET_INVALID', 'has not dropped');
    await expectFailure(openGenerated(pairs, ['crack']), 'ERR_DATASET_INVALID', 'keep some in their review');
    const dataset = await Dataset.open(pairs);
    await expectFailure(dataset.trainingExamples('crack'), 'ERR_DATASET_INVALID', 'has 0 images');
  });

  it('are an error if a corrected mask is missing', async () => {
    const pairs = reviewed();
    rmSync(join(pairs, 'corrected'), { recursive: true });
    const job = exportDataset({ data: pairs, format: 'coco', out: join(folder, 'coco') });
    await expectFailure(job, 'ERR_DATASET_INVALID', '000002_mask-3.png');
  });
});
