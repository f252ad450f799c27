import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Job, RunContext } from '../../lib/queue/job-queue.js';
import { fetchDataset, publishDataset } from '../../lib/store/datasets.js';
import { openStore } from '../../lib/store/open.js';
import { readResult } from '../../lib/store/results.js';
import { isDivisible, learnPart, MAX_PAIR_PARTS, pairParts, typePart } from '../../lib/worker/campaign-plan.js';
import { Outputs } from '../../lib/worker/outputs.js';
import { JobRunner } from '../../lib/worker/run-job.js';
import { WorkFolder } from '../../lib/worker/work-folder.js';
import { writeCategory } from '../helpers/dataset.js';
import { expectFailure } from '../helpers/failures.js';
import { contentsOf } from '../helpers/files.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const work = join(folder, 'work');
const store = await openStore(join(folder, 'store'));
let runner: JobRunner;
let digest: string;

beforeAll(async () => {
  await writeCategory(join(folder, 'metal'), 'crack', 2);
  ({ digest } = await publishDataset(store, 'metal', join(folder, 'metal')));
  mkdirSync(join(folder, 'bases'));
  runner = await JobRunner.open({ store, workFolder: work, bases: join(folder, 'bases'), copyEveryMs: 50 });
  return () => runner[Symbol.asyncDispose]();
});

let made = 0;
const jobOf = (kind: Job['kind'], options: Record<string, unknown>, more: Partial<Job> = {}): Job => ({
  ...{ id: String(made++).padStart(32, '0'), kind, options, datasets: {}, priority: 50, state: 'running' },
  ...{ created: new Date().toISOString(), attempts: 1, ...more },
});
function run(job: Job, events: object[] = [], more: Partial<RunContext> = {}): Promise<object> {
  const context: RunContext = {
    signal: new AbortController().signal,
    onEvent: (event) => events.push(event),
    ...more,
  };
  return runner.run(job, context);
}

describe('a job whose inputs and outputs are in the store', () => {
  it('publishes its files and its result, which hold no paths of the machine, and leaves nothing behind', async () => {
    const job = jobOf('export', { data: 'metal', format: 'masks' });
    const events: object[] = [];
    const result = await run(job, events);
    expect(JSON.stringify([result, events])).not.toContain(folder);
    expect(result).toMatchObject({ out: '.', images: 2 });
    const published = await readResult(store, job.id);
    expect(published).toMatchObject({ kind: 'export', result });
    expect(published?.files.length).toBeGreaterThan(2);
    const told = events.flatMap((event) => ('path' in event ? [event.path] : [])).sort();
    expect(told).toEqual(published?.files.map(({ path }) => path));
    const [own] = readdirSync(work);
    expect(readdirSync(join(work, own as string)).filter((name) => !name.startsWith('.lock-'))).toEqual([]);
  });

  it('is not run again once its result is published', async () => {
    const job = jobOf('check', { data: 'metal' });
    const first = await run(job);
    const events: object[] = [];
    expect(await run(job, events)).toEqual(first);
    expect(events).toEqual([]);
  });

  it('tells of new work from which its next run would go on, and of none that it makes anew', async () => {
    let kept = 0;
    const onWorkKept = () => kept++;
    const learn = { type: 'crack', steps: 2, rank: 1, resolution: 32, batchSize: 1, device: 'cpu' };
    await run(jobOf('learn', { data: 'metal', ...learn }), [], { onWorkKept });
    expect(kept).toBeGreaterThan(0);
    kept = 0;
    await run(jobOf('export', { data: 'metal', format: 'coco' }), [], { onWorkKept });
    await run(jobOf('learn', { data: 'metal', ...learn }), [], { onWorkKept, prepare: async () => {} });
    expect(kept).toBe(0);
  });

  it('tells of a checkpoint that replaces the one before it, but not of one that is the same', async () => {
    const own = join(folder, 'outputs');
    mkdirSync(own);
    const told: [string, boolean][] = [];
    const open = () => new Outputs(store, 'e'.repeat(32), own, (path, isNew) => told.push([path, isNew]));
    const write = (name: string, text: string) => writeFileSync(join(own, name), text);
    const first = open();
    write('detector.checkpoint.safetensors', 'one');
    write('log.jsonl', 'one\n');
    await first.copy(true);
    expect(told.splice(0)).toEqual([
      ['log.jsonl', true],
      ['detector.checkpoint.safetensors', true],
    ]);
    const second = open();
    await second.restore();
    write('detector.checkpoint.safetensors', 'one');
    write('log.jsonl', 'one\ntwo\n');
    await second.copy(true);
    expect(told).toEqual([]);
    write('detector.checkpoint.safetensors', 'another');
    await second.copy(true);
    expect(told).toEqual([['detector.checkpoint.safetensors', false]]);
  });

  it('uses the contents that a dataset had at the submission', async () => {
    await writeCategory(join(folder, 'other'), 'dent', 1);
    await publishDataset(store, 'changing', join(folder, 'other'));
    const datasets = { changing: digest };
    expect(await run(jobOf('check', { data: 'changing' }, { datasets }))).toMatchObject({
      categories: [{ category: 'changing', types: [{ type: 'crack' }] }],
    });
    expect(await run(jobOf('check', { data: 'changing' }))).toMatchObject({
      categories: [{ types: [{ type: 'dent' }] }],
    });
  });

  it('takes files of other jobs by their identifiers', async () => {
    const exported = jobOf('export', { data: 'metal', format: 'coco' });
    await run(exported);
    const imported = await run(jobOf('import', { from: exported.id }));
    expect(imported).toMatchObject({ out: '.', types: { crack: 2 } });
    await expectFailure(run(jobOf('import', { from: 'f'.repeat(32) })), 'ERR_NOT_FOUND', 'has no result yet');
    await expectFailure(run(jobOf('import', { from: `${exported.id}/none` })), 'ERR_DATASET_INVALID', 'holds no none');
  });

  it('refuses paths, options of the worker, unknown bases and wrong identifiers', async () => {
    const wrong: [Job['kind'], Record<string, unknown>][] = [
      ['check', { data: join(folder, 'metal') }],
      ['check', { data: '../metal' }],
      ['check', { data: 'metal', out: '/tmp/x' }],
      ['learn', { data: 'metal', type: 'crack', base: '../../etc' }],
      ['learn', { data: 'metal', type: 'crack', resume: false }],
      ['learn', { data: 'metal', type: 'crack', foregroundWeights: '/etc/passwd' }],
      ['generate', { adapter: '/etc/passwd' }],
      ['mask', { parts: 'metal', maskWeights: '/etc/passwd' }],
    ];
    for (const [kind, options] of wrong) {
      await expectFailure(run(jobOf(kind, options)), 'ERR_INVALID_OPTION');
    }
    const unknown = jobOf('learn', { data: 'metal', type: 'crack', base: 'none' });
    await expectFailure(run(unknown), 'ERR_INVALID_OPTION', 'There is no base none');
    await expectFailure(run(jobOf('check', { data: 'metal' }, { id: '../escape' })), 'ERR_INVALID_OPTION');
    await expectFailure(run(jobOf('check', { data: 'constructor' })), 'ERR_NOT_FOUND');
  });

  it('tells of a store or a work folder that cannot be used without naming its path', async () => {
    const place = join(folder, 'unreadable');
    const broken = await JobRunner.open({
      store: await openStore(place),
      workFolder: join(place, 'work'),
      copyEveryMs: 50,
    });
    const job = jobOf('check', { data: 'metal' });
    const start = () => broken.run(job, { signal: new AbortController().signal, onEvent() {} });
    mkdirSync(join(place, 'jobs', job.id, 'result.json'), { recursive: true });
    await expectFailure(start(), 'ERR_STORE_ACCESS', 'in the store');
    await expect(start()).rejects.not.toThrow(folder);
    rmSync(place, { recursive: true });
    await expectFailure(start(), 'ERR_FILE_ACCESS', 'Cannot create');
    await expect(start()).rejects.not.toThrow(folder);
  });

  it('fails if a dataset was damaged in the store', async () => {
    const damaged = join(folder, 'damaged');
    await writeCategory(damaged, 'crack', 1);
    writeFileSync(join(damaged, 'notes.txt'), 'notes');
    const { digest: own } = await publishDataset(store, 'damaged', damaged);
    await store.put(`data/${own}/files/notes.txt`, 'other');
    await expectFailure(run(jobOf('check', { data: 'damaged' })), 'ERR_STORE_DAMAGED', 'notes.txt');
    await expect(fetchDataset(store, own, join(folder, 'fetched'))).rejects.toThrow('damaged');
  });

  it('says whose contents are missing, in the store of which worker', async () => {
    const datasets = { metal: 'f'.repeat(64) };
    const job = jobOf('check', { data: 'metal' }, { datasets });
    await expectFailure(run(job), 'ERR_NOT_FOUND', 'The contents of the dataset metal are not in the store');
  });

  it('removes the work folders of processes that have ended, and keeps the others', async () => {
    const left = join(work, 'process-left');
    mkdirSync(join(left, 'files'), { recursive: true });
    const before = readdirSync(work).filter((name) => name !== 'process-left');
    const second = await WorkFolder.open(work);
    expect(readdirSync(work).sort()).toEqual([...before, second.path.split('/').at(-1)].sort());
    await second[Symbol.asyncDispose]();
    expect(readdirSync(work)).toEqual(before);
  });
});

describe('a campaign on a queue', () => {
  it('consists of its categories with contents of their own, and has the fingerprint of its base', async () => {
    const plant = join(folder, 'plant');
    await writeCategory(join(plant, 'bolt'), 'bent', 2);
    await writeCategory(join(plant, 'nut'), 'worn', 2);
    const { digest: whole } = await publishDataset(store, 'plant', plant);
    const facts = await runner.factsOf(jobOf('campaign', { data: 'plant' }, { datasets: { plant: whole } }));
    const { digest: bolt } = await publishDataset(store, 'bolt', join(plant, 'bolt'));
    expect(facts).toMatchObject({
      fingerprint: expect.stringMatching(/^[0-9a-f]{128}$/),
      categories: [
        { category: 'bolt', data: 'bolt', digest: bolt, types: ['bent'] },
        { category: 'nut', data: 'nut', types: ['worn'] },
      ],
      failures: [],
    });
    // The folder of the whole dataset was published first, without copies of its files.
    expect(existsSync(join(folder, 'store', 'data', bolt, 'files'))).toBe(false);
    await fetchDataset(store, bolt, join(folder, 'fetched-bolt'));
    expect(contentsOf(join(folder, 'fetched-bolt'))).toEqual(contentsOf(join(plant, 'bolt')));
    expect(
      readdirSync(work).flatMap((own) => readdirSync(join(work, own)).filter((name) => !name.startsWith('.lock-'))),
    ).toEqual([]);
  });

  it('loads no base for a recipe without a model, and tells what is wrong without paths of the machine', async () => {
    const augment = jobOf('campaign', { data: 'metal', recipe: 'augment' }, { datasets: { metal: digest } });
    expect(await runner.factsOf(augment)).toMatchObject({
      categories: [{ category: 'metal', data: 'metal', digest, types: ['crack'] }],
    });
    expect(await runner.factsOf(augment)).not.toHaveProperty('fingerprint');
    const lost = runner.factsOf(jobOf('campaign', { data: 'metal', base: 'lost', type: 'crack' }));
    await expectFailure(lost, 'ERR_INVALID_OPTION', 'There is no base lost on this machine');
  });

  it('refuses a base other than the one with which it began', async () => {
    const learn = { data: 'metal', type: 'crack', steps: 1, rank: 1, resolution: 32, batchSize: 1, device: 'cpu' };
    const other = run(jobOf('learn', learn), [], { fingerprint: 'ab'.repeat(64) });
    await expectFailure(other, 'ERR_MODEL_INVALID', 'The embedded base of this machine has other weights');
    const { fingerprint } = await runner.factsOf(jobOf('campaign', { data: 'metal', type: 'crack', device: 'cpu' }));
    expect(await run(jobOf('learn', learn), [], { fingerprint: fingerprint as string })).toHaveProperty('adapter');
  });
});

describe('the parts of a campaign', () => {
  const options = { data: 'metal', type: 'crack', trainSteps: 10, count: 10, batchSize: 4, globalPrompt: 'a photo' };
  const campaign = { options, datasets: { metal: 'a'.repeat(64), other: 'b'.repeat(64) } };

  it('cover all pairs once, in whole batches', () => {
    const learned = learnPart(campaign);
    expect(learned).toMatchObject({
      ...{ kind: 'learn', datasets: { metal: 'a'.repeat(64) } },
      options: { data: 'metal', type: 'crack', steps: 10, globalPrompt: 'a photo' },
    });
    const parts = pairParts(campaign, learned.id, 5);
    expect(parts.map((part) => part.options.range)).toEqual([
      [0, 8],
      [8, 10],
    ]);
    expect(parts[0]?.options).toEqual({ adapter: learned.id, type: 'crack', batchSize: 4, count: 8, range: [0, 8] });
  });

  it('are not more than Redis can hold, however many pairs are wanted', () => {
    const count = 1_000_000;
    const parts = pairParts({ ...campaign, options: { ...options, count } }, 'a'.repeat(32), 5);
    expect(parts).toHaveLength(MAX_PAIR_PARTS);
    const ranges = parts.map(({ options }) => options.range as [number, number]);
    expect(ranges[0]).toEqual([0, 1000]);
    expect(ranges.at(-1)).toEqual([999_000, count]);
  });

  it('have the same identifiers in any campaign with the same contents, and others for other contents', () => {
    const reordered = Object.fromEntries(Object.entries(options).reverse());
    const { id } = learnPart(campaign);
    expect(learnPart({ options: reordered, datasets: campaign.datasets }).id).toBe(id);
    expect(learnPart({ options: { ...options, count: 99 }, datasets: campaign.datasets }).id).toBe(id);
    expect(learnPart({ options, datasets: { metal: 'c'.repeat(64) } }).id).not.toBe(id);
    expect(learnPart({ options: { ...options, trainSteps: 11 }, datasets: campaign.datasets }).id).not.toBe(id);
    expect(typePart(campaign, 'dent').id).not.toBe(typePart(campaign, 'crack').id);
    expect(learnPart({ ...campaign, fingerprint: 'ab' }).id).not.toBe(learnPart({ ...campaign, fingerprint: 'cd' }).id);
  });

  it('are not made for recipes that cannot be divided', () => {
    expect(isDivisible({ data: 'metal' })).toBe(true);
    expect(isDivisible({ data: 'metal', recipe: 'augment' })).toBe(false);
    expect(isDivisible({ data: 'metal', background: 'add' })).toBe(false);
  });
});
