/** shared/cases: names and folders. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Dataset } from '../../lib/index.js';
import { type CampaignJobOptions, campaign } from '../../lib/jobs/index.js';
import { caseFolder, tileLoss, trainCase } from '../helpers/cases.js';
import { expectFailure } from '../helpers/failures.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const small = { trainSteps: 1, trainBatchSize: 1, resolution: 64, count: 1, steps: 2 };

describe('folders from the field', () => {
  it('06-ipynb-checkpoints: a folder whose name begins with a dot is no type', async () => {
    const data = join(caseFolder('06-ipynb-checkpoints'), 'tile');
    expect((await Dataset.open(data)).types).toEqual(['crack']);
    const out = join(folder, 'run');
    expect((await campaign({ data, out, ...small })).types).toHaveLength(1);
    expect(readdirSync(out).sort()).toEqual(['crack', 'summary.json']);
  });

  it('07-appledouble: files that macOS leaves beside images are no images', async () => {
    expect(await trainCase('07-appledouble', {})).toBeCloseTo(await tileLoss(), 6);
  });

  it('10-same-stem: two images that would share a mask are both named in the error', async () => {
    const message = 'crack/000.png would share the mask 000_mask.png';
    await expectFailure(trainCase('10-same-stem', {}), 'ERR_DATASET_INVALID', 'crack/000.jpg and', message);
  });

  it('22-nfd-names: decomposed names of folders and images match composed ones', async () => {
    expect(await trainCase('22-nfd-names', { type: 'Schräge'.normalize('NFC') })).toBeCloseTo(await tileLoss(), 6);
    expect(await trainCase('22-nfd-names', { data: 'tile2' })).toBeCloseTo(await tileLoss(), 6);
  });

  it('91-no-good: good images may lie in folders below train/good', async () => {
    const subfolder = await Dataset.open(join(caseFolder('91-no-good'), 'subfolder'));
    expect(await subfolder.goodImages()).toHaveLength(3);
  });

  it.each<[string, Partial<CampaignJobOptions>]>([
    ['augment', { recipe: 'augment', count: 1 }],
    ['background compensation', { ...small, background: 'add', foregroundMasks: 'none' }],
  ])('91-no-good: a run with %s names the folder where it expects good images', async (_, options) => {
    const data = join(caseFolder('91-no-good'), 'none');
    const work = campaign({ data, out: join(folder, 'none'), ...options });
    await expectFailure(work, 'ERR_DATASET_INVALID', `${data} has no good images`, 'train/good');
  });
});
