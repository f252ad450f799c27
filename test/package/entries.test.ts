import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const node = (...args: string[]) => execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' }).trim();
const listed = 'Object.keys(m).sort().join()';
const program = (load: string) => `${load}; (async () => {
  const model = await m.DualAnoDiff.load(m.embedded.base);
  console.log(model.info.device, ${listed});
  await model.dispose();
})()`;

describe('the package', () => {
  it('gives the same from ESM and CommonJS, and both reach the engine', () => {
    const cjs = node('-e', program("const m = require('dualanodiff')"));
    const esm = node('--input-type=module', '-e', program("import * as m from 'dualanodiff'"));
    expect(cjs).toMatch(/^(cpu|cuda:0) .*DualAnoDiff.*Sampler.*Trainer/);
    expect(esm).toBe(cjs);
  });

  it('works in a worker beside the main thread, and a worker may end in the middle of a job', () => {
    const script = `
      import { Worker, isMainThread, parentPort } from 'node:worker_threads';
      import { DualAnoDiff, Masker, embedded } from 'dualanodiff';
      if (isMainThread) {
        await using model = await DualAnoDiff.load(embedded.base);
        const worker = new Worker(new URL(import.meta.url));
        const answer = await new Promise((done, fail) => { worker.once('message', done); worker.once('error', fail); });
        await worker.terminate();
        console.log(answer, model.info.device);
      } else {
        const masker = Masker.threshold();
        const data = new Uint8Array(64 * 64 * 3).fill(255, 64 * 32 * 3); // half black, half white
        const mask = await masker.mask({ data, width: 64, height: 64, channels: 3 });
        const loading = DualAnoDiff.load(embedded.base);
        loading.catch(() => {});
        parentPort.postMessage(mask.coverage);
      }`;
    // A file, because a worker needs one.
    const output = node(
      '--input-type=module',
      '-e',
      `
      import { writeFileSync, rmSync } from 'node:fs';
      import { execFileSync } from 'node:child_process';
      const file = ${JSON.stringify(join(root, 'dist', 'worker-test.mjs'))};
      writeFileSync(file, ${JSON.stringify(script.replaceAll('await using', 'const'))});
      try { console.log(execFileSync(process.execPath, [file], { encoding: 'utf8' })); } finally { rmSync(file); }`,
    );
    expect(output.trim()).toMatch(/^1 (cpu|cuda:0)$/);
  });
});
