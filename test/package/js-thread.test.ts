import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const PRELUDE = `
  import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
  import { Dataset, DualAnoDiff, embedded, Sampler, Trainer } from 'dualanodiff';
  import { begin, decode, textEncode } from 'dualanodiff/tensors';
  import { runNative } from './dist/run-native.js';
  const tell = async (what, work) => {
    try {
      await work();
      console.log(what, 'nothing');
    } catch (error) {
      console.log(what, error.name, error.code);
    }
  };
  const folder = mkdtempSync('/tmp/dualanodiff-js-thread-');
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  async function train(model) {
    const trainer = new Trainer(model, { types: ['stain'], resolution: 32, rank: 2, batchSize: 1 });
    for await (const _ of trainer.train(await Dataset.open(embedded.example), { steps: 1 }));
    await trainer.save(folder + '/adapter.safetensors');
    await trainer.dispose();
  }
`;
/** Runs a program in a process of its own: what C++ throws must not end it. */
const run = (body: string, shell = 'true') =>
  spawnSync(
    'bash',
    ['-c', `${shell}; exec "$@"`, 'bash', process.execPath, '--input-type=module', '-e', PRELUDE + body],
    {
      cwd: root,
      encoding: 'utf8',
      timeout: 110_000,
    },
  );

describe('what C++ throws on the thread of JavaScript', () => {
  it('is an error with a code: shapes that are none', () => {
    const { stdout, stderr, status } = run(`
      const model = await DualAnoDiff.load(embedded.base);
      const data = new Float32Array(4);
      for (const shape of [[-1, -4], [1, 4, 8, 8], [2 ** 40, 2 ** 40], [1, 4], [0.5, 8], []]) {
        await tell('checked ' + shape, () => decode(model, { data, shape }));
        await tell('native ' + shape, () => runNative({}, (_, task) => model.native.decode({ data, shape }, false, task)));
      }
      await tell('pixels', () => runNative({}, (_, task) => model.native.encode(new Uint8Array(12), -2, -2, task)));
      await tell('array', () => runNative({}, (_, task) => model.native.decode({ data: [1], shape: [1] }, false, task)));
      await tell('task', () => runNative({}, () => model.native.textEncode(['x'], {})));
      console.log((await textEncode(model, ['a stain'])).shape.length);
    `);
    expect(stderr).toBe('');
    const lines = stdout.trim().split('\n');
    expect(lines.filter((line) => line.endsWith('InvalidOptionError ERR_INVALID_OPTION'))).toHaveLength(13);
    expect(lines.slice(-3)).toEqual(['array DualAnoDiffError ERR_NATIVE', 'task DualAnoDiffError ERR_NATIVE', '3']);
    expect(status).toBe(0);
  });

  it('is an error with a code: damaged metadata of an adapter', () => {
    const { stdout, stderr, status } = run(`
      const model = await DualAnoDiff.load(embedded.base);
      await train(model);
      const whole = readFileSync(folder + '/adapter.safetensors');
      const length = Number(whole.readBigUInt64LE(0));
      for (const levels of ['not json', '[1]', '{}', 'null', '["a","b","c","d"]', '[[1],[2],[3],[4]]']) {
        const header = JSON.parse(whole.subarray(8, 8 + length));
        header.__metadata__.latent_levels = levels;
        const text = Buffer.from(JSON.stringify(header));
        const size = Buffer.alloc(8);
        size.writeBigUInt64LE(BigInt(text.length));
        writeFileSync(folder + '/damaged.safetensors', Buffer.concat([size, text, whole.subarray(8 + length)]));
        await tell(levels, async () => {
          const sampler = await Sampler.create(model, folder + '/damaged.safetensors');
          for await (const _ of sampler.sample({ count: 1, steps: 1 }));
        });
        await tell(levels, async () => {
          const sampler = await Sampler.create(model, folder + '/damaged.safetensors');
          await begin(sampler, { indices: [0], steps: 1 });
        });
      }
    `);
    expect(stderr).toBe('');
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(12);
    for (const line of lines) expect(line).toMatch(/ModelError ERR_WEIGHTS_INVALID$/);
    expect(status).toBe(0);
  });

  it('is an error with a code: no memory to convert a tensor, there and back', () => {
    const { stdout, stderr, status } = run(`
      import { spawnSync } from 'node:child_process';
      const limit = (bytes) => spawnSync('prlimit', ['--pid', String(process.pid), '--as=' + bytes + ':']);
      /** The process may take the memory that it has, and little more. */
      const limitHere = () => {
        const size = Number(/VmSize:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
        limit((size + 4000) * 1024);
      };
      const model = await DualAnoDiff.load(embedded.base);
      await train(model);
      const sampler = await Sampler.create(model, folder + '/adapter.safetensors');
      const latents = { data: new Float32Array(2 ** 27), shape: [1, 4, 4096, 8192] };
      limitHere();
      await tell('there', () => decode(model, latents));
      limit('unlimited');
      // Runs in the middle of the result's conversion: before the latents. They are 64 MB, because the allocator may keep
      // up to 32 MB that were freed before.
      Object.defineProperty(Object.prototype, 'timesteps', { set: limitHere, configurable: true });
      const indices = Array.from({ length: 2048 }, (_, index) => index);
      await tell('back', () => begin(sampler, { indices, resolution: 128, steps: 1 }));
      limit('unlimited');
      delete Object.prototype.timesteps;
      console.log((await begin(sampler, { indices, resolution: 128, steps: 1 })).latents.shape.join());
    `);
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')).toEqual([
      'there OutOfMemoryError ERR_OUT_OF_MEMORY',
      'back OutOfMemoryError ERR_OUT_OF_MEMORY',
      '4096,4,32,32',
    ]);
    expect(status).toBe(0);
  });

  it('rejects the promise where a result cannot be converted', () => {
    const { stdout, stderr, status } = run(`
      const model = await DualAnoDiff.load(embedded.base);
      Object.defineProperty(Object.prototype, 'shape', { set() { throw new RangeError('on purpose'); }, configurable: true });
      try {
        await textEncode(model, ['a stain']);
      } catch (error) {
        console.log(error.code, error.message, error.cause.name);
      }
      delete Object.prototype.shape;
      console.log((await textEncode(model, ['a stain'])).shape.length);
    `);
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')).toEqual(['ERR_NATIVE on purpose RangeError', '3']);
    expect(status).toBe(0);
  });
});
