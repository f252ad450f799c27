import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openApiSchemas } from '../../lib/options/index.js';
import { scratchFolder } from '../helpers/scratch.js';

const root = join(import.meta.dirname, '..', '..');
const folder = scratchFolder();
const adapter = join(folder, 'script', 'stain.safetensors');
/** The test reads this part of an OpenAPI document. */
interface Document {
  paths: Record<'/pairs', { get: { parameters: { name: string; schema: object }[] } }>;
}
const example = (name: string, ...args: string[]) =>
  spawnSync(process.execPath, [join('examples', name), ...args], { cwd: root, encoding: 'utf8' });

describe('the examples', () => {
  it('are short', () => {
    for (const name of readdirSync(join(root, 'examples')))
      expect(readFileSync(join(root, 'examples', name), 'utf8').split('\n').length, name).toBeLessThan(70);
  });

  beforeAll(() => {
    const { stderr, status } = example('script.mjs', join(folder, 'script'), '10');
    expect(stderr).toBe('');
    expect(status).toBe(0);
  }, 240_000);

  it('script.mjs writes an adapter and a dataset of pairs with masks', () => {
    expect(existsSync(adapter)).toBe(true);
    expect(readdirSync(join(folder, 'script', 'pairs', 'ground_truth', 'stain'))).toHaveLength(4);
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

  it('service.mjs describes itself, tells its progress, and stops when its client goes', async () => {
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
      const document = (await (await fetch(`${address}/openapi.json`)).json()) as Document;
      expect(document).toMatchObject({ openapi: '3.1.0', components: { schemas: openApiSchemas() } });
      const { parameters } = document.paths['/pairs'].get;
      expect(parameters.map(({ name }) => name)).toEqual(['count', 'seed', 'steps']);
      expect(parameters[0]?.schema).toMatchObject({ type: 'integer', minimum: 1, default: 16 });
      const whole = await (await fetch(`${address}/pairs?count=1&steps=3`)).text();
      expect(whole).toContain('event: progress\ndata: {"step":1,"steps":3}');
      expect(whole).toMatch(/event: pair\ndata: \{"index":0,"image":"iVBOR/);
      expect(whole).toContain('event: end');
      for (const query of ['count=0', 'count=many', 'steps=1001'])
        expect((await fetch(`${address}/pairs?${query}`)).status, query).toBe(400);

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
