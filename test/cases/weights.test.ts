/** Weights files that are not what they seem, in the hands of wrappers, and files that change under a loaded model. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeFileAtomic } from '../../lib/core/files.js';
import { embedded } from '../../lib/index.js';
import { mask } from '../../lib/jobs/index.js';
import { caseFolder, casesFolder, crackAdapter, tileLoss, trainCase } from '../helpers/cases.js';
import { expectFailure } from '../helpers/failures.js';
import { contentsOf } from '../helpers/files.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const parts = join(casesFolder, '01-bmp-8bit-grey', 'parts_png');

/** Writes a safetensors file again with other names of its tensors. */
function renameTensors(file: string, to: string, rename: (name: string) => string): void {
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<string, unknown>;
  const renamed = Object.entries(header).map(([key, value]) => [key === '__metadata__' ? key : rename(key), value]);
  const text = Buffer.from(JSON.stringify(Object.fromEntries(renamed)));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(to, Buffer.concat([size, text, bytes.subarray(8 + length)]));
}

/** The embedded base, copied, with a case's files put over it. */
function baseWith(name: string, overlay?: string): string {
  const base = join(folder, name);
  cpSync(embedded.base, base, { recursive: true });
  rmSync(join(base, 'initial_adapter.safetensors'), { force: true });
  if (overlay !== undefined) {
    for (const file of readdirSync(overlay, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const to = join(base, file.parentPath.slice(overlay.length), file.name);
      rmSync(to, { force: true });
      mkdirSync(join(to, '..'), { recursive: true });
      writeFileSync(to, readFileSync(join(file.parentPath, file.name)));
    }
  }
  return base;
}

describe('30-git-lfs-pointer', () => {
  const name = '30-git-lfs-pointer';
  const own = (file: string) => join(caseFolder(name), file);
  const train = (base: string) => trainCase(name, { data: '../tile', base });
  const pointer = ['a Git LFS pointer', 'git lfs pull'];

  it('a pointer of Git LFS in the place of a base is named, with what to do', async () => {
    const base = baseWith('lfs', own('base'));
    await expectFailure(train(base), 'ERR_WEIGHTS_INVALID', 'diffusion_pytorch_model.safetensors', ...pointer);
    await expectFailure(train(own('sd.ckpt')), 'ERR_WEIGHTS_INVALID', 'sd.ckpt', ...pointer);
  });

  it('a pointer of Git LFS or a web page in the place of a mask model is named', async () => {
    const masks = (file: string) => mask({ parts, out: join(folder, 'masks'), maskWeights: own(file) });
    await expectFailure(masks('u2net.pth'), 'ERR_WEIGHTS_INVALID', 'u2net.pth', ...pointer);
    await expectFailure(masks('page.safetensors'), 'ERR_WEIGHTS_INVALID', 'page.safetensors', 'an HTML page');
  });
});

describe('38-u2net-dataparallel', () => {
  it('weights whose names a wrapper has prefixed give the masks of those without the prefix', async () => {
    const maskWeights = join(caseFolder('38-u2net-dataparallel'), 'u2netp_module.safetensors');
    const [wrapped, plain] = [join(folder, 'wrapped'), join(folder, 'plain')];
    await mask({ parts, out: wrapped, maskWeights });
    const own = join(folder, 'u2netp.safetensors');
    renameTensors(maskWeights, own, (name) => name.replace('module.', ''));
    await mask({ parts, out: plain, maskWeights: own });
    expect(Object.keys(contentsOf(wrapped)).length).toBeGreaterThan(0);
    expect(contentsOf(wrapped)).toEqual(contentsOf(plain));
  });
});

describe('a base', () => {
  it('a base whose names a wrapper has prefixed, and whose file has another ending, trains as it does without', async () => {
    const base = baseWith('wrapped-base');
    const unet = join(base, 'unet', 'diffusion_pytorch_model.safetensors');
    renameTensors(unet, unet, (name) => `module._orig_mod.${name}`);
    cpSync(unet, join(base, 'unet', 'diffusion_pytorch_model.bin')); // safetensors under the other name
    rmSync(unet);
    expect(await trainCase('tile', { data: '.', base })).toBeCloseTo(await tileLoss(), 6);
  });

  it('a base may be overwritten and cut off once it is loaded', async () => {
    const base = baseWith('overwritten');
    const adapter = await crackAdapter();
    const program = `
      import { readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
      import { join } from 'node:path';
      import { DualAnoDiff, Sampler } from 'dualanodiff';
      const base = ${JSON.stringify(base)};
      const model = await DualAnoDiff.load(base, { device: 'cpu', dtype: 'float32' });
      const draw = async () => {
        const sampler = await Sampler.create(model, ${JSON.stringify(adapter)});
        const options = { count: 1, steps: 2, resolution: 32, seed: 1 };
        const { value } = await sampler.sample(options).next();
        return Buffer.from(value.image.data).toString('base64');
      };
      const before = await draw();
      const weights = readdirSync(base, { recursive: true }).filter((name) => name.endsWith('.safetensors'));
      if (weights.length < 3) throw new Error('no weights');
      for (const name of weights) {
        const path = join(base, name);
        writeFileSync(path, Buffer.alloc(statSync(path).size, 0xff), { flag: 'r+' });
      }
      if (await draw() !== before) throw new Error('the weights have changed');
      for (const name of weights) truncateSync(join(base, name), 0);
      if (await draw() !== before) throw new Error('the weights have changed');
      console.log('the same');
    `;
    const run = await node(program);
    expect(run.stderr).toBe('');
    expect(run.stdout).toBe('the same\n');
  });
});

function node(program: string): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: join(import.meta.dirname, '..', '..'),
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    child.on('close', (code, signal) => resolve({ stdout, stderr: stderr + (signal ?? (code === 0 ? '' : code)) }));
  });
}

describe('writeFileAtomic', () => {
  it('writeFileAtomic writes whole files from several places at once', async () => {
    const path = join(folder, 'together', 'file.json');
    const texts = Array.from({ length: 16 }, (_, i) => String(i).repeat(200_000 - i));
    await Promise.all(texts.map((text) => writeFileAtomic(path, text)));
    expect(texts).toContain(readFileSync(path, 'utf8'));
    expect(readdirSync(join(folder, 'together'))).toEqual(['file.json']);
  });
});
