import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const PRELUDE = `
  import { mkdtempSync, rmSync } from 'node:fs';
  import { Adapter, augment, Dataset, DualAnoDiff, embedded, Masker, Sampler, Trainer } from 'dualanodiff';
  import { begin } from 'dualanodiff/tensors';
  import { getEngine } from './dist/native.js';
  const engine = await getEngine();
  /** Engine objects that are left once the torch thread has done what it was told. */
  const left = async () => {
    await engine.stopProfile(new engine.Task(0));
    return engine.nativeInfo().held.objects;
  };
  const collect = async () => {
    for (let round = 0; round < 20 && (await left()) > 0; round++) {
      gc();
      await new Promise((done) => setImmediate(done));
    }
    return left();
  };
  const folder = mkdtempSync('/tmp/dualanodiff-collected-');
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const adapter = folder + '/adapter.safetensors';
  const dataset = await Dataset.open(embedded.example);
  async function train(model) {
    const trainer = new Trainer(model, { types: ['stain'], resolution: 32, rank: 2, batchSize: 1 });
    for await (const _ of trainer.train(dataset, { steps: 5 })) break;
    await trainer.save(adapter);
    return trainer;
  }
`;
const run = (body: string, ...flags: string[]) => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [...flags, '--input-type=module', '-e', PRELUDE + body],
    { cwd: root, encoding: 'utf8', timeout: 110_000 },
  );
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout.trim().split('\n');
};

describe('native memory', () => {
  it('goes with its objects when nobody has disposed of them', () => {
    const lines = run(
      `
      await (async () => {
        const model = await DualAnoDiff.load(embedded.base);
        const trainer = await train(model);
        const sampler = await Sampler.create(model, adapter);
        const batch = await begin(sampler, { indices: [0], steps: 2 });
        const masker = await Masker.load();
        const loaded = await Adapter.load(adapter);
        const sampled = sampler.sample({ count: 2, batchSize: 1, steps: 1 });
        const pasted = augment(dataset, { type: 'stain', resolution: 32, count: 2 });
        for (const pairs of [sampled, pasted]) await pairs.next(); // loops that are neither ended nor left
        const kept = [model, trainer, sampler, batch, masker, loaded, sampled, pasted];
        console.log(await left(), engine.nativeInfo().held.bytes > 20_000_000, kept.length);
      })();
      console.log(await collect(), engine.nativeInfo().held.bytes);
    `,
      '--expose-gc',
    );
    // The model, the trainer, the sampler, the batch, the masker, the adapter, and the images of the loop over pasted pairs.
    expect(lines).toEqual(['7 true 8', '0 0']);
  });

  it('goes at once when a loop over pairs is left early, by break or by an error', () => {
    const lines = run(`
      const model = await DualAnoDiff.load(embedded.base);
      await (await train(model)).dispose();
      const sampler = await Sampler.create(model, adapter);
      const before = await left();
      for await (const _ of sampler.sample({ count: 6, batchSize: 2, steps: 1 })) break;
      console.log((await left()) - before);
      try {
        for await (const _ of sampler.sample({ count: 6, batchSize: 2, steps: 1 })) throw new Error('on purpose');
      } catch (error) {
        console.log((await left()) - before, error.message);
      }
      try {
        for await (const _ of sampler.sample({ count: 6, batchSize: 2, steps: 1, onProgress: () => { throw 'on purpose'; } }));
      } catch (error) {
        console.log((await left()) - before, error);
      }
    `);
    expect(lines).toEqual(['0', '0 on purpose', '0 on purpose']);
  });

  it('of a model is that of its samplers, too, and the model waits for none', () => {
    const lines = run(
      `
      const model = await DualAnoDiff.load(embedded.base);
      await train(model); // and leaves the trainer
      const sampler = await Sampler.create(model, adapter);
      await model.dispose();
      for await (const pair of sampler.sample({ count: 1, steps: 1 })) console.log(pair.image.width);
      await sampler.dispose();
      console.log(await collect());
    `,
      '--expose-gc',
    );
    expect(lines).toEqual(['32', '0']);
  });

  it('of a sampler is the same whether its adapter came from a file or stays loaded, and so are its pairs', () => {
    const lines = run(`
      const model = await DualAnoDiff.load(embedded.base);
      await (await train(model)).dispose();
      const loaded = await Adapter.load(adapter);
      for (const source of [adapter, loaded, adapter]) {
        const before = engine.nativeInfo().held.bytes;
        const sampler = await Sampler.create(model, source);
        await left();
        const own = engine.nativeInfo().held.bytes - before;
        const pixels = [];
        for await (const { image } of sampler.sample({ count: 1, steps: 1 })) pixels.push(...image.data);
        await sampler.dispose();
        console.log(own > 1e6, Math.round(own / 1e6), pixels.join());
      }
    `);
    expect(lines[0]).toMatch(/^true/);
    const [megabytes, pixels] = [1, 2].map((part) => lines.map((line) => line.split(' ')[part]));
    expect(new Set(pixels).size).toBe(1);
    expect(lines).toHaveLength(3);
    // The loaded adapter keeps the text encoder's part for itself and the sampler, so that it counts once.
    for (const own of megabytes ?? []) expect(Math.abs(Number(own) - Number(megabytes?.[0]))).toBeLessThanOrEqual(1);
  });

  it('is a reason for the collector to look', () => {
    const [line] = run(`
      const model = await DualAnoDiff.load(embedded.base);
      await (await train(model)).dispose();
      let most = 0;
      for (let i = 0; i < 40; i++) {
        await Sampler.create(model, adapter);
        most = Math.max(most, engine.nativeInfo().held.objects);
      }
      console.log(most);
    `);
    expect(Number(line)).toBeLessThan(40); // 3.4 MB each
  });
});
