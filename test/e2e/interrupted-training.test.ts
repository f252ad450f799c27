import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dataset, DualAnoDiff, embedded, Trainer } from '../../lib/index.js';
import { cli, trainStains } from '../helpers/cli.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const STEPS = 6;
const fileOf = (name: string) => join(folder, `${name}.safetensors`);
const losses = (out: string): [number, number][] =>
  readFileSync(`${out}.jsonl`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .map(({ step, loss }) => [step, loss]);

/** Steps of three batches, so that a step can be interrupted in its middle. */
const settings = { rank: 2, batchSize: 1, gradientAccumulation: 3, seed: 5 };
let model: DualAnoDiff;
let dataset: Dataset;
const makeTrainer = () => new Trainer(model, { types: ['stain'], resolution: 32, ...settings });

beforeAll(async () => {
  model = await DualAnoDiff.load(embedded.base, { device: 'cpu' });
  dataset = await Dataset.open(embedded.example);
  await using trainer = makeTrainer();
  for await (const _ of trainer.train(dataset, { steps: STEPS, out: fileOf('whole') }));
  await trainer.save(fileOf('whole'));
});
afterAll(() => model.dispose());

/** An adapter's file says where its base lies, so those of one base alone are equal. */
function expectWhole(out: string): void {
  expect(readFileSync(out).equals(readFileSync(fileOf('whole')))).toBe(true);
  expect(losses(out)).toEqual(losses(fileOf('whole')));
}

describe('training with gradient accumulation that is interrupted inside a step', () => {
  const ABORTS = 5;

  /** Trains to the end with aborts, each after another part of a step; `next` gives the trainer that goes on. */
  async function trainWithAborts(next: () => Promise<Trainer>, options: object): Promise<void> {
    for (let aborts = 0; ; aborts++) {
      const controller = new AbortController();
      const trainer = await next();
      try {
        for await (const { seconds } of trainer.train(dataset, {
          ...options,
          steps: STEPS,
          signal: controller.signal,
        }))
          if (aborts < ABORTS) setTimeout(() => controller.abort(), 1000 * seconds * (0.15 + 0.17 * aborts));
        return await trainer.save(fileOf('torn'));
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_ABORTED' });
      }
    }
  }

  it('a step that was interrupted is done again in the same process as if nothing had happened', async () => {
    await using trainer = makeTrainer();
    await trainWithAborts(async () => trainer, {});
    expect(readFileSync(fileOf('torn')).equals(readFileSync(fileOf('whole')))).toBe(true);
  });

  it('training goes on from the checkpoint that an abort wrote, in the same trainer and in others', async () => {
    rmSync(fileOf('torn'));
    await using trainer = makeTrainer();
    await trainWithAborts(async () => trainer, { out: fileOf('torn'), resume: true });
    expectWhole(fileOf('torn'));
    rmSync(fileOf('torn'));
    const trainers: Trainer[] = [];
    const another = async () => {
      await trainers.at(-1)?.dispose();
      trainers.push(makeTrainer());
      return trainers.at(-1) as Trainer;
    };
    await trainWithAborts(another, { out: fileOf('torn'), resume: true });
    await trainers.at(-1)?.dispose();
    expect(trainers.length).toBeGreaterThan(1);
    expectWhole(fileOf('torn'));
  });

  it('training goes on after a kill inside a step', async () => {
    const out = fileOf('killed');
    const args = trainStains(out, '--rank', '2', '--batch-size', '1', '--gradient-accumulation', '3', '--seed', '5');
    args.push('--steps', String(STEPS), '--checkpoint-every', '2', '--resume', '--device', 'cpu');
    expect(await cli(args, { kill: { signal: 'SIGKILL', when: /stain 3\/6/ } })).toMatchObject({ code: null });
    await cli(args, { kill: { signal: 'SIGINT', when: /stain 5\/6/ } });
    const { code, stderr } = await cli(args);
    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
    expectWhole(out);
  });
});
