import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { entriesOf } from '../../scripts/entries.mjs';

const root = join(import.meta.dirname, '..', '..');
const node = (...args: string[]) => execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' }).trim();
const listed = 'Object.keys(m).sort().join()';
const program = (load: string) => `${load}; (async () => {
  const model = await m.DualAnoDiff.load(m.embedded.base);
  console.log(model.info.device, ${listed});
  await model.dispose();
})()`;

const specifiers = entriesOf(root).map(({ subpath }) => `dualanodiff${subpath.slice(1)}`);

describe('the entry points of the package', () => {
  it.each(specifiers)('%s exports the same names to import and to require', (specifier) => {
    const print = 'console.log(Object.keys(m).sort().join())';
    const required = node('-e', `const m = require('${specifier}'); ${print}`);
    const imported = node('--input-type=module', '-e', `import * as m from '${specifier}'; ${print}`);
    expect(imported).not.toBe('');
    expect(required).toBe(imported);
  });

  it.each([
    ['import', (specifier: string) => `await import('${specifier}')`],
    ['require', (specifier: string) => `require('${specifier}')`],
  ])('share their classes where they are loaded by %s', (_, load) => {
    const script = `
      const entries = [${specifiers.map(load).join()}];
      const values = new Map();
      const different = entries.flatMap((entry) => Object.entries(entry)).filter(([name, value]) => {
        const known = values.has(name) && values.get(name) !== value;
        values.set(name, value);
        return known;
      });
      const { DualAnoDiff, Dataset, embedded } = ${load('dualanodiff')};
      const { DatasetError, DualAnoDiffError } = ${load('dualanodiff/errors')};
      const { Evaluator } = ${load('dualanodiff/evaluation')};
      const dataset = await Dataset.open(embedded.example);
      // The embedded example lacks good images that could test, which the evaluation reads off the dataset of the root.
      const refused = await Evaluator.open(dataset, { compare: ['none'] }).catch((error) => error);
      const missing = await DualAnoDiff.load('nowhere').catch((error) => error);
      console.log(different.length, refused instanceof DatasetError, missing instanceof DualAnoDiffError);`;
    const output =
      load('x') === "require('x')"
        ? node('-e', `(async () => {${script}})()`)
        : node('--input-type=module', '-e', script);
    expect(output).toBe('0 true true');
  });

  it('declare each class once, document it, and hide what is internal', () => {
    const typings = readFileSync(join(root, 'typings', 'all.d.ts'), 'utf8');
    expect(typings.match(/^declare class DualAnoDiff /gm)).toHaveLength(1);
    expect(typings).toContain('* A Stable Diffusion base learns defects');
    expect(typings).not.toContain('@internal');
    for (const { name } of entriesOf(root)) {
      const own = readFileSync(join(root, 'typings', `${name}.d.ts`), 'utf8');
      expect(own, name).toMatch(/^export \{[^;]*\} from '.\/all.js';\n(export type \{[^;]*\} from '.\/all.js';\n)?$/);
    }
  });
});

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
