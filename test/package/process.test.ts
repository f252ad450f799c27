import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const PRELUDE = `
  import { Worker, isMainThread, parentPort } from 'node:worker_threads';
  import { Dataset, DualAnoDiff, embedded, Masker, Sampler, Trainer } from 'dualanodiff';
  import { Evaluator } from 'dualanodiff/evaluation';
  import { encode, textEncode } from 'dualanodiff/tensors';
  const grey = (side) => ({ data: new Uint8Array(side * side * 3).fill(127), width: side, height: side, channels: 3 });
`;
const run = (body: string, shell = '') => {
  const args = ['--input-type=module', '-e', PRELUDE + body];
  return shell === ''
    ? spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 110_000 })
    : spawnSync('bash', ['-c', `${shell}; exec "$@"`, 'bash', process.execPath, ...args], {
        cwd: root,
        encoding: 'utf8',
        timeout: 110_000,
      });
};

describe('the process', () => {
  it('works on two models at once', () => {
    const { stdout, stderr } = run(`
      const models = await Promise.all([DualAnoDiff.load(embedded.base), DualAnoDiff.load(embedded.base)]);
      const texts = await Promise.all(models.map((model) => textEncode(model, ['a stain'])));
      await models[0].dispose();
      const again = await textEncode(models[1], ['a stain']);
      await models[1].dispose();
      console.log(texts.every(({ data }) => data.every((value, i) => value === again.data[i])));
    `);
    expect(stderr).toBe('');
    expect(stdout.trim()).toBe('true');
  });

  it('ends cleanly in the middle of a job, with or without saying so', () => {
    for (const [end, code] of [
      ['process.exit(3)', 3],
      ['throw new Error("on purpose")', 1],
    ] as const) {
      const { status, signal, stderr } = run(`
        const model = await DualAnoDiff.load(embedded.base);
        const trainer = new Trainer(model, { types: ['stain'], resolution: 64 });
        const steps = trainer.train(await Dataset.open(embedded.example), { steps: 1000 });
        await steps.next();
        steps.next().catch(() => {});
        setTimeout(() => { ${end}; }, 20);
      `);
      expect(signal).toBeNull();
      expect(status).toBe(code);
      expect(stderr.includes('on purpose')).toBe(code === 1);
    }
  });

  it('ends cleanly in the middle of jobs on several threads', () => {
    const { status, signal, stderr } = run(`
      const { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } = await import('node:fs');
      const folder = mkdtempSync('/tmp/dualanodiff-jobs-');
      cpSync(embedded.example, folder, { recursive: true });
      mkdirSync(folder + '/test/good');
      renameSync(folder + '/train/good/000.png', folder + '/test/good/000.png');
      const evaluator = await Evaluator.open(await Dataset.open(folder), {
        ...{ compare: ['none', 'crop-paste'], resolution: 64, concurrency: 3, seeds: 2 },
      });
      const onProgress = ({ done }) => {
        if (done < 6) return;
        rmSync(folder, { recursive: true });
        process.exit(3);
      };
      await evaluator.evaluate(folder, { onProgress });
    `);
    expect(stderr).toBe('');
    expect(signal).toBeNull();
    expect(status).toBe(3);
  });

  it('survives workers that end in the middle of their jobs', () => {
    const { stdout, stderr, status } = run(`
      const source = ${JSON.stringify(PRELUDE)} + \`
        const model = await DualAnoDiff.load(embedded.base);
        const trainer = new Trainer(model, { types: ['stain'], resolution: 64 });
        for await (const { step } of trainer.train(await Dataset.open(embedded.example), { steps: 1000 })) parentPort.postMessage(step);
      \`;
      const one = () => new Promise((done, fail) => {
        const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(source.replaceAll(/'(dualanodiff[^']*)'/g, (_, name) => JSON.stringify(import.meta.resolve(name))))));
        worker.once('message', () => worker.terminate().then(done, fail));
        worker.once('error', fail);
      });
      for (let round = 0; round < 3; round++) await Promise.all([one(), one(), one()]);
      const model = await DualAnoDiff.load(embedded.base);
      console.log((await encode(model, grey(32))).shape.join());
      await model.dispose();
    `);
    expect(stderr).toBe('');
    expect(stdout.trim()).toBe('1,4,8,8');
    expect(status).toBe(0);
  });

  it('says that memory ran out, and goes on', () => {
    const { stdout, stderr } = run(
      `
      const model = await DualAnoDiff.load(embedded.base);
      const trainer = new Trainer(model, { types: ['stain'], resolution: 32, rank: 2, batchSize: 1 });
      for await (const _ of trainer.train(await Dataset.open(embedded.example), { steps: 1 }));
      const adapter = process.env.TMPDIR + '/adapter.safetensors';
      await trainer.save(adapter);
      const sampler = await Sampler.create(model, adapter);
      try {
        await sampler.sample({ count: 256, batchSize: 256, resolution: 4096, steps: 1 }).next();
      } catch (error) {
        console.log(error.code, error.name, error.message);
      }
      for await (const pair of sampler.sample({ count: 1, steps: 1 })) console.log(pair.image.width);
      await sampler.dispose();
      await trainer.dispose();
      await model.dispose();
    `,
      'export TMPDIR=$(mktemp -d); trap "rm -rf $TMPDIR" EXIT; ulimit -v 6000000; export MALLOC_ARENA_MAX=2 OMP_NUM_THREADS=2',
    );
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^ERR_OUT_OF_MEMORY OutOfMemoryError .*smaller batch/s);
    expect(stdout.trim().endsWith('32')).toBe(true);
  });

  it('keeps its memory over rounds of load, sample and dispose', () => {
    const { stdout, stderr } = run(`
      const model = await DualAnoDiff.load(embedded.base);
      const trainer = new Trainer(model, { types: ['stain'], resolution: 32, rank: 2, batchSize: 1 });
      for await (const _ of trainer.train(await Dataset.open(embedded.example), { steps: 1 }));
      const { mkdtempSync, rmSync } = await import('node:fs');
      const folder = mkdtempSync('/tmp/dualanodiff-rounds-');
      await trainer.save(folder + '/adapter.safetensors');
      await trainer.dispose();
      await model.dispose();
      const sizes = [];
      for (let round = 0; round < 60; round++) {
        const own = await DualAnoDiff.load(embedded.base);
        const sampler = await Sampler.create(own, folder + '/adapter.safetensors');
        for await (const _ of sampler.sample({ count: 1, steps: 1, resolution: 32 }));
        await sampler.dispose();
        await own.dispose();
        if (round % 20 === 19) sizes.push(Math.round(process.memoryUsage().rss / 2 ** 20));
      }
      rmSync(folder, { recursive: true });
      console.log(sizes.join());
    `);
    expect(stderr).toBe('');
    const [, second, third] = stdout.trim().split(',').map(Number) as [number, number, number];
    expect(third - second).toBeLessThan(20); // MiB: a base alone is 15
  });
});
