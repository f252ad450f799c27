/** The files of a training run that a program starts: who may write them, and what a loop that is left leaves. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dataset, DualAnoDiff, embedded, Trainer } from '../../lib/index.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const settings = { types: ['stain'], resolution: 32, rank: 2, batchSize: 1 };
let model: DualAnoDiff;
let dataset: Dataset;
beforeAll(async () => {
  model = await DualAnoDiff.load(embedded.base);
  dataset = await Dataset.open(embedded.example);
});
afterAll(() => model.dispose());

const filesOf = (name: string) =>
  readdirSync(folder)
    .filter((file) => file.startsWith(`${name}.`))
    .sort();
/** Trains to the end, or calls `onStep` after each step. */
async function train(trainer: Trainer, name: string, onStep: (step: number) => void = () => {}, more: object = {}) {
  const out = join(folder, `${name}.safetensors`);
  for await (const { step } of trainer.train(dataset, { steps: 4, out, resume: true, ...more })) onStep(step);
  return out;
}

describe('a loop over training that is left', () => {
  it.each(['break', 'throw'])(
    'a loop that is left by %s leaves a checkpoint, from which another trainer goes on',
    async (how) => {
      const out = join(folder, `${how}.safetensors`);
      const leave = async () => {
        await using trainer = new Trainer(model, settings);
        for await (const { step } of trainer.train(dataset, { steps: 4, out })) {
          if (step === 3 && how === 'break') break;
          if (step === 3) throw new Error('no room for a preview');
        }
      };
      if (how === 'throw') await expect(leave()).rejects.toThrow('no room for a preview');
      else await leave();
      expect(filesOf(how)).toEqual([`${how}.checkpoint-000003.safetensors`, `${how}.safetensors.jsonl`]);
      await using other = new Trainer(model, settings);
      const steps: number[] = [];
      await other.save(await train(other, how, (step) => steps.push(step)));
      expect(steps).toEqual([4]);
      await using whole = new Trainer(model, settings);
      const wholeOut = await train(whole, `${how} whole`);
      await whole.save(wholeOut);
      expect(readFileSync(out).equals(readFileSync(wholeOut))).toBe(true);
    },
  );
});

describe('an adapter that is saved while training goes on', () => {
  it('an adapter saved under the name of its run is complete, and no checkpoint is left', async () => {
    await using trainer = new Trainer(model, settings);
    const out = join(folder, 'early.safetensors');
    for await (const { step } of trainer.train(dataset, { steps: 4, out })) {
      if (step < 2) continue;
      await trainer.save(out);
      break;
    }
    expect(filesOf('early')).toEqual(['early.safetensors', 'early.safetensors.jsonl']);
  });

  it('an adapter saved under another name leaves the run alone', async () => {
    await using first = new Trainer(model, settings);
    await using second = new Trainer(model, settings);
    const out = join(folder, 'run.safetensors');
    for await (const { step } of first.train(dataset, { steps: 3, out })) {
      if (step !== 1) continue;
      await first.save(join(folder, 'snapshot.safetensors'));
      await expect(train(second, 'run')).rejects.toMatchObject({ code: 'ERR_BUSY' });
    }
    await expect(train(second, 'run')).rejects.toMatchObject({ code: 'ERR_BUSY' });
    expect(filesOf('snapshot')).toEqual(['snapshot.safetensors']);
  });

  it('a saved adapter is all that is left of a trainer that is disposed of in the loop', async () => {
    const trainer = new Trainer(model, settings);
    for await (const _ of trainer.train(dataset, { steps: 4, out: join(folder, 'gone.safetensors') })) {
      await trainer.save(join(folder, 'kept.safetensors'));
      await trainer.dispose();
      break;
    }
    expect(filesOf('kept')).toEqual(['kept.safetensors']);
    expect(filesOf('gone')).toEqual(['gone.safetensors.jsonl']);
  });
});

describe('the files of a run', () => {
  it("the files of a run are one trainer's until it has saved or is disposed", async () => {
    await using first = new Trainer(model, settings);
    await using second = new Trainer(model, settings);
    const whileTraining = async () => {
      for await (const _ of first.train(dataset, { steps: 2, out: join(folder, 'one.safetensors') })) {
        await expect(train(second, 'one')).rejects.toMatchObject({ code: 'ERR_BUSY' });
      }
    };
    await whileTraining();
    await expect(train(second, 'one')).rejects.toMatchObject({ code: 'ERR_BUSY' });
    await first.save(join(folder, 'one.safetensors'));
    expect(filesOf('one')).toEqual(['one.safetensors', 'one.safetensors.jsonl']);
    await train(second, 'one', undefined, { steps: 3 });
    await second.dispose();
    await train(first, 'one');
    await first.dispose();
    expect(filesOf('one').filter((name) => name.includes('.lock-'))).toEqual([]);
  });

  it('what a killed process left half-written of a run goes when it is trained again', async () => {
    writeFileSync(join(folder, 'left.checkpoint-000009.safetensors.partial-4711'), 'half');
    writeFileSync(join(folder, 'left.b.safetensors.partial-4711'), "a neighbour's");
    await using trainer = new Trainer(model, settings);
    await train(trainer, 'left', undefined, { steps: 1 });
    expect(filesOf('left').filter((name) => name.includes('partial'))).toEqual(['left.b.safetensors.partial-4711']);
  });
});
