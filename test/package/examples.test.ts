import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { scratchFolder } from '../helpers/scratch.js';

const root = join(import.meta.dirname, '..', '..');
const folder = scratchFolder();
const adapter = join(folder, 'script', 'stain.safetensors');
const example = (name: string, ...args: string[]) =>
  spawnSync(process.execPath, [join('examples', name), ...args], { cwd: root, encoding: 'utf8' });

describe('the examples', () => {
  beforeAll(() => {
    const { stderr, status } = example('script.mjs', join(folder, 'script'), '10');
    expect(stderr).toBe('');
    expect(status).toBe(0);
  }, 120_000);

  it('script.mjs writes a dataset', () => {
    expect(readdirSync(join(folder, 'script', 'pairs', 'ground_truth', 'stain')).length).toBe(4);
  });

  it('commonjs.cjs writes a picture, and one line where the adapter is missing', () => {
    const out = join(folder, 'pair.png');
    expect(example('commonjs.cjs', adapter, out).stdout).toContain('wrote');
    expect(existsSync(out)).toBe(true);
    const { stderr, status } = example('commonjs.cjs', 'nowhere.safetensors', out);
    expect(stderr).toContain('ERR_FILE_ACCESS');
    expect(status).toBe(1);
  });

  it('worker-pool.mjs shares the pairs out', () => {
    const { stdout, stderr, status } = example('worker-pool.mjs', adapter, join(folder, 'pool'), '4', '2');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/pair 3 from worker 1/);
    expect(readdirSync(join(folder, 'pool')).sort()).toEqual(['0.png', '1.png', '2.png', '3.png']);
  });

  it('service.mjs tells its progress, and stops when its client goes', async () => {
    const service = spawn(process.execPath, [join('examples', 'service.mjs'), adapter, '0'], { cwd: root });
    let output = '';
    const said = (pattern: RegExp) =>
      new Promise<RegExpExecArray>((done) => {
        const look = () => {
          const found = pattern.exec(output);
          if (found) done(found);
        };
        service.stdout.on('data', look);
        look();
      });
    service.stdout.on('data', (data) => {
      output += data;
    });
    try {
      const [, address] = await said(/listening on (\S+)/);
      const whole = await (await fetch(`${address}/pairs?count=1&steps=3`)).text();
      expect(whole).toContain('event: progress\ndata: {"step":1,"steps":3}');
      expect(whole).toMatch(/event: pair\ndata: \{"index":0,"image":"iVBOR/);
      expect(whole).toContain('event: end');
      expect((await fetch(`${address}/pairs?count=0`)).status).toBe(400);

      const client = new AbortController();
      const long = await fetch(`${address}/pairs?count=500&steps=100`, { signal: client.signal });
      await (long.body as ReadableStream).getReader().read();
      client.abort();
      expect((await said(/request ended: (\w+)/))[1]).toBe('ERR_ABORTED');
    } finally {
      service.kill('SIGTERM');
    }
    const code = await new Promise((done) => service.once('exit', done));
    expect(code).toBe(0);
  });
});
