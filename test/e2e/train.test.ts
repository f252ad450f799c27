import { cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dataset, DualAnoDiff, embedded, readImage, Sampler, Trainer } from '../../lib/index.js';
import { type JobEvent, learn } from '../../lib/jobs/index.js';
import { cli, trainStains } from '../helpers/cli.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const STEPS = 30;
const KILLS = 10;
const args = (out: string, ...more: string[]) => [
  ...trainStains(out, '--rank', '2', '--batch-size', '1', '--steps', String(STEPS)),
  ...['--checkpoint-every', '2', '--seed', '5', ...more],
];
const losses = (out: string) =>
  readFileSync(`${out}.jsonl`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).loss as number);

describe('training on the command line', () => {
  const whole = join(folder, 'whole.safetensors');

  it('train writes the adapter, a loss line per step and nothing else', async () => {
    const { code, stdout } = await cli(args(whole, '--json'));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ adapter: whole, steps: STEPS });
    expect(losses(whole)).toHaveLength(STEPS);
    expect(losses(whole).every(Number.isFinite)).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(['whole.safetensors', 'whole.safetensors.jsonl']);
  });

  it(`training ends in the same adapter, bit for bit, after ${KILLS} kills at random moments`, async () => {
    const killed = join(folder, 'killed.safetensors');
    let kills = 0;
    for (let i = 0; i < KILLS; i++) {
      const { code } = await cli(args(killed, '--resume'), {
        kill: { signal: 'SIGKILL', afterMs: 900 + 900 * Math.random() },
      });
      if (code === null) kills++;
      expect(existsSync(killed) && statSync(killed).size === 0).toBe(false);
    }
    expect(kills).toBeGreaterThan(0);
    const { code, stderr } = await cli(args(killed, '--resume'));
    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
    expect(readFileSync(killed).equals(readFileSync(whole))).toBe(true);
    expect(losses(killed)).toEqual(losses(whole));
    expect(readdirSync(folder).filter((name) => name.startsWith('killed'))).toEqual([
      'killed.safetensors',
      'killed.safetensors.jsonl',
    ]);
  }, 240_000);

  it('training with background compensation that was killed ends in the same adapter, bit for bit', async () => {
    const more = ['--background', 'add', '--foreground-masks', 'none', '--steps', '8'];
    const [once, torn] = [join(folder, 'once.safetensors'), join(folder, 'torn.safetensors')];
    expect((await cli(args(once, ...more))).code).toBe(0);
    for (const when of [/stain 3\/8/, /stain 6\/8/]) {
      const outcome = await cli(args(torn, '--resume', ...more), { kill: { signal: 'SIGKILL', when } });
      expect(outcome.code).toBeNull();
    }
    expect((await cli(args(torn, '--resume', ...more))).code).toBe(0);
    expect(readFileSync(torn).equals(readFileSync(once))).toBe(true);
  });

  it('a finished adapter is left as it is when it is resumed', async () => {
    const before = readFileSync(whole);
    const log = losses(whole);
    const moved = join(folder, 'moved-base'); // its path is in the adapter, and pairs know the adapter by its digest
    cpSync(embedded.base, moved, { recursive: true });
    const { code, stdout } = await cli(args(whole, '--resume', '--json', '--base', moved));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ adapter: whole, steps: STEPS });
    expect(readFileSync(whole).equals(before)).toBe(true);
    expect(losses(whole)).toEqual(log);
  });

  it('training keeps its work on Ctrl-C, refuses other settings and goes on with the same', async () => {
    const out = join(folder, 'interrupted.safetensors');
    const longer = [...args(out, '--checkpoint-every', '1000'), '--steps', '400'];
    const { code, stderr } = await cli(longer, { kill: { signal: 'SIGINT', when: /training stain 41/ } });
    expect(code).toBe(130);
    expect(stderr).toMatch(/interrupted\n$/);
    const left = readdirSync(folder).filter((name) => name.startsWith('interrupted.checkpoint-'));
    expect(left).toHaveLength(1);
    const fresh = await cli(longer);
    expect(fresh.code).toBe(1);
    expect(fresh.stderr).toContain('An earlier run left the checkpoint');
    const other = await cli([...longer, '--resume', '--seed', '6']);
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('seed was 5, is now 6');
    const step = Number(/(\d{6})/.exec(left[0] as string)?.[1]);
    const more = await cli([...longer, '--resume', '--steps', String(step + 3)]);
    expect(more.code).toBe(0);
    expect(losses(out)).toHaveLength(step + 3);
  });
});

describe('training through the API', () => {
  let model: DualAnoDiff;
  beforeAll(async () => {
    model = await DualAnoDiff.load(embedded.base);
  });
  afterAll(() => model.dispose());
  const settings = { types: ['stain'], resolution: 32, window: 'off', rank: 2, batchSize: 2 } as const;

  it('training on one picture lowers its loss', async () => {
    await using trainer = new Trainer(model, {
      ...settings,
      trainImages: 1,
      flips: false,
      initialAdapter: 'none', // the base's own knows too much already
      learningRate: 2e-3,
      batchSize: 8,
    });
    const seen: number[] = [];
    for await (const step of trainer.train(await Dataset.open(embedded.example), { steps: 80 })) seen.push(step.loss);
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    expect(mean(seen.slice(-20))).toBeLessThan(0.8 * mean(seen.slice(0, 20)));
  });

  it('training stops on a loss that is not finite, with the adapter as it was', async () => {
    await using trainer = new Trainer(model, { ...settings, learningRate: 1, maxGradNorm: 0, weightDecay: 0 });
    const run = async () => {
      for await (const _ of trainer.train(await Dataset.open(embedded.example), { steps: 400 }));
    };
    await expect(run()).rejects.toMatchObject({ code: 'ERR_NON_FINITE_LOSS' });
    await trainer.save(join(folder, 'before.safetensors'));
    await using sampler = await Sampler.create(model, join(folder, 'before.safetensors'));
    expect(sampler.adapter.types).toEqual(['stain']);
  });

  it('training is not changed by a preview', async () => {
    const train = async (preview: boolean) => {
      await using trainer = new Trainer(model, settings);
      const seen: number[] = [];
      for await (const step of trainer.train(await Dataset.open(embedded.example), { steps: 4 })) {
        seen.push(step.loss);
        if (preview)
          expect((await trainer.preview({ steps: 2 })).image).toMatchObject({ width: 32, height: 32, channels: 3 });
      }
      return seen;
    };
    expect(await train(true)).toEqual(await train(false));
  });

  it('the job learn writes a preview every so many steps and tells of every step', async () => {
    const out = join(folder, 'preview', 'a.safetensors');
    const told: number[] = [];
    const onEvent = (event: JobEvent) => event.event === 'progress' && told.push(event.done);
    const small = { data: embedded.example, type: 'stain', out, resolution: 32, rank: 2, batchSize: 1 };
    const { steps } = await learn({ ...small, steps: 5, previewEvery: 2 }, { onEvent });
    expect(steps).toBe(5);
    expect(told).toEqual([1, 2, 3, 4, 5]);
    const previews = readdirSync(join(folder, 'preview')).filter((name) => name.endsWith('.png'));
    expect(previews.sort()).toEqual(['a.preview-000002.png', 'a.preview-000004.png']);
    const preview = await readImage(join(folder, 'preview', 'a.preview-000004.png'));
    expect([preview.width, preview.height]).toEqual([64, 32]); // The image and its part lie side by side.
  });

  it('every image of a type trains where nobody says how many', async () => {
    await using trainer = new Trainer(model, settings);
    const dataset = await Dataset.open(embedded.example);
    for await (const _ of trainer.train(dataset, { steps: 1 }));
    expect(trainer.examples).toHaveLength((await dataset.examples('stain')).length);
  });

  it('training ends within a step of an abort, and its trainer is free for another run', async () => {
    await using trainer = new Trainer(model, settings);
    const controller = new AbortController();
    const run = async () => {
      for await (const step of trainer.train(await Dataset.open(embedded.example), {
        steps: 1000,
        signal: controller.signal,
      })) {
        if (step.step === 3) controller.abort();
        expect(step.step).toBeLessThan(4);
      }
    };
    await expect(run()).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    for await (const step of trainer.train(await Dataset.open(embedded.example), { steps: 4 }))
      expect(step.step).toBe(4);
  });
});
