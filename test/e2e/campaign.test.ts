import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Adapter } from '../../lib/index.js';
import { type CampaignJobOptions, campaign, type JobEvent } from '../../lib/jobs/index.js';
import { cli, flagsOf } from '../helpers/cli.js';
import { writeCategory } from '../helpers/dataset.js';
import { expectFailure } from '../helpers/failures.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const data = join(folder, 'parts');
const out = join(folder, 'out');
const options: CampaignJobOptions = {
  ...{ data, out, trainSteps: 1, trainBatchSize: 1, count: 1, steps: 2, resolution: 32, mask: ['threshold'] },
};
const summary = () => JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'));

beforeAll(async () => {
  await writeCategory(join(data, 'plate'), 'dent', 4);
  await writeCategory(join(data, 'plate'), 'pit', 4);
  await writeCategory(join(data, 'wheel'), 'crack', 4);
  rmSync(join(data, 'plate', 'ground_truth', 'dent', '000_mask.png'));
});

describe('a campaign over a folder of categories', () => {
  it('run goes on past a type that fails, and says so at the end', async () => {
    const { code, stderr, stdout } = await cli(['run', ...flagsOf(options)]);
    expect(code).toBe(1);
    expect(stderr).toContain('warning: plate dent: ');
    expect(stdout).toContain('plate dent failed: ');
    expect(stdout).toContain('wheel crack: loss ');
    const { types, failures } = summary();
    expect(types.map(({ category, type }: Record<string, string>) => `${category}/${type}`)).toEqual([
      'plate/pit',
      'wheel/crack',
    ]);
    expect(failures).toMatchObject([{ category: 'plate', type: 'dent', code: 'ERR_DATASET_INVALID' }]);
    expect(existsSync(join(out, 'wheel', 'crack', 'dataset', 'test', 'crack', '000000.png'))).toBe(true);
  });

  it('a campaign that is resumed does only what is missing', async () => {
    await writeCategory(join(data, 'plate'), 'dent', 4); // This puts the mask back.
    const adapter = join(out, 'wheel', 'crack', 'adapter.safetensors');
    const before = readFileSync(adapter);
    const picture = join(out, 'wheel', 'crack', 'dataset', 'test', 'crack', '000000.png');
    const written = statSync(picture).mtimeMs;
    const worked = new Set<string>();
    const onEvent = (event: JobEvent) => event.event === 'progress' && worked.add(`${event.category} ${event.type}`);
    const { types, failures } = await campaign({ ...options, resume: true }, { onEvent });
    expect([...worked]).toEqual(['plate dent']);
    expect(types).toHaveLength(3);
    expect(failures).toEqual([]);
    expect(summary()).toMatchObject({ types, failures });
    expect(statSync(picture).mtimeMs).toBe(written);
    expect(readFileSync(adapter).equals(before)).toBe(true);
  });

  it('a campaign that is not resumed leaves an adapter and its pairs as they are', async () => {
    const type = join(out, 'wheel', 'crack');
    const files = ['adapter.safetensors', 'adapter.safetensors.jsonl'];
    const contents = () => files.map((name) => readFileSync(join(type, name), 'utf8'));
    const before = contents();
    const again = { ...options, data: join(data, 'wheel'), out: join(out, 'wheel'), seed: 9 };
    await expectFailure(campaign(again), 'ERR_DATASET_INVALID', 'holds 1 generated pairs');
    const withPairs = { ...again, recipe: 'augment', resume: true } as const;
    const { trainSteps: _, trainBatchSize: __, steps: ___, mask: ____, ...augmented } = withPairs;
    await expectFailure(campaign(augmented), 'ERR_DATASET_INVALID', 'another recipe than augment');
    rmSync(join(type, 'dataset'), { recursive: true });
    await expectFailure(campaign(again), 'ERR_CHECKPOINT_MISMATCH', 'adapter.safetensors: resume it');
    expect(contents()).toEqual(before);
  });

  it('a folder that holds no category is an error that says what one looks like', async () => {
    const work = campaign({ ...options, data: join(data, 'plate', 'test') });
    await expectFailure(work, 'ERR_DATASET_INVALID', "is not a category in MVTec AD's layout");
  });

  it('a campaign ends with its signal, and leaves what was done to resume', async () => {
    const controller = new AbortController();
    const cut = join(folder, 'cut');
    const onEvent = () => controller.abort();
    const work = campaign({ ...options, out: cut }, { signal: controller.signal, onEvent });
    await expectFailure(work, 'ERR_ABORTED');
    const { types } = await campaign({ ...options, out: cut, resume: true });
    expect(types).toHaveLength(3);
  });

  it('the results of types that a later campaign does not make stay in the summary of the folder', async () => {
    const plates = { ...options, data: join(data, 'plate'), out: join(folder, 'one-by-one') };
    await campaign({ ...plates, type: 'dent' });
    const { types } = await campaign({ ...plates, type: 'pit' });
    expect(types.map(({ type }) => type)).toEqual(['pit']);
    const kept = JSON.parse(readFileSync(join(plates.out, 'summary.json'), 'utf8'));
    expect(kept.types.map(({ type }: { type: string }) => type)).toEqual(['dent', 'pit']);
  });

  it('the batch size of a campaign is that of sampling, and its preset decides what is not chosen', async () => {
    const wheel = { data: join(data, 'wheel'), out: join(folder, 'preset'), batchSize: 2, preset: 'fast' } as const;
    const { trainBatchSize: _, steps: __, ...others } = options;
    const { types } = await campaign({ ...others, ...wheel });
    const { info } = await Adapter.load(types[0]?.adapter ?? '');
    expect(info.metadata.batch_size).toBe('4');
    const [line = ''] = readFileSync(join(types[0]?.dataset ?? '', 'pairs.jsonl'), 'utf8').split('\n');
    expect(JSON.parse(line).settings).toMatchObject({ steps: 15, reuseFeatures: 2, guidanceInterval: [0.2, 1] });
  });
});
