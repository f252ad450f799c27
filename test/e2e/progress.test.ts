import { cpSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Evaluator } from '../../lib/evaluate/index.js';
import { Dataset, DualAnoDiff, embedded, Sampler, Trainer } from '../../lib/index.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const adapter = join(folder, 'adapter.safetensors');
const onPurpose = new Error('on purpose');
let model: DualAnoDiff;

beforeAll(async () => {
  model = await DualAnoDiff.load(embedded.base);
  await using trainer = new Trainer(model, { types: ['stain'], resolution: 32, rank: 2, batchSize: 1 });
  for await (const _ of trainer.train(await Dataset.open(embedded.example), { steps: 1 }));
  await trainer.save(adapter);
});
afterAll(() => model.dispose());

describe('an exception of onProgress', () => {
  it('an exception of onProgress ends sampling, and is what the loop throws', async () => {
    await using sampler = await Sampler.create(model, adapter);
    let last = 0;
    const sample = async (steps: number, from: number, error: unknown) => {
      const onProgress = (step: number) => {
        last = step;
        if (step >= from) throw error;
      };
      for await (const _ of sampler.sample({ count: 4, batchSize: 1, steps, scheduler: 'pndm', onProgress }));
    };
    await expect(sample(400, 2, onPurpose)).rejects.toBe(onPurpose);
    expect(last).toBe(2); // and nothing is heard of it any more
    await expect(sample(400, 3, 'a text')).rejects.toBe('a text');
    await expect(sample(1, 1, undefined)).rejects.toBe(undefined); // where there is nothing left to cancel
    await sample(2, 100, onPurpose);
    expect(last).toBe(3); // pndm calls once more than it has steps
  });

  it('an exception of onProgress is told before the signal that it fires', async () => {
    await using sampler = await Sampler.create(model, adapter);
    const controller = new AbortController();
    const onProgress = () => {
      controller.abort();
      throw onPurpose;
    };
    const pairs = sampler.sample({ count: 1, steps: 400, signal: controller.signal, onProgress });
    await expect(pairs.next()).rejects.toBe(onPurpose);
  });

  it('an exception of onProgress ends model.learn, and is what it rejects with', async () => {
    let last = 0;
    const onProgress = ({ step }: { step: number }) => {
      last = step;
      if (step === 2) throw onPurpose;
    };
    const small = { types: ['stain'], resolution: 32, rank: 2, batchSize: 1, steps: 100, onProgress } as const;
    await expect(model.learn(await Dataset.open(embedded.example), small)).rejects.toBe(onPurpose);
    expect(last).toBe(2);
  });

  it('an exception of onProgress ends an evaluation, and is what it rejects with', async () => {
    const data = join(folder, 'data');
    cpSync(embedded.example, data, { recursive: true });
    mkdirSync(join(data, 'test/good'));
    renameSync(join(data, 'train/good/000.png'), join(data, 'test/good/000.png'));
    const evaluator = await Evaluator.open(await Dataset.open(data), {
      ...{
        compare: ['none', 'crop-paste'],
        seeds: 1,
        iterations: 50,
        resolution: 32,
        classifier: false,
        concurrency: 2,
      },
    });
    let heard = 0;
    const onProgress = () => {
      if (++heard === 3) throw onPurpose;
    };
    await expect(evaluator.evaluate(join(folder, 'out'), { onProgress })).rejects.toBe(onPurpose);
    expect(heard).toBeLessThan(50);
  });
});
