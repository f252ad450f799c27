/** The commands and the program by which the README submits campaigns to a service. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { embedded } from '../../lib/index.js';
import { freePort } from '../helpers/redis.js';
import { scratchFolder } from '../helpers/scratch.js';
import { PATIENCE_MS } from '../helpers/workers.js';

const root = join(import.meta.dirname, '..', '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const [, section = ''] = /^## As a service\n([\s\S]*?)^## /m.exec(readme) ?? [];
const [, program = ''] = /^```ts\n([\s\S]*?)^```$/m.exec(section) ?? [];
const lines = section
  .split('\n')
  .filter((line) => line.startsWith('    '))
  .map((line) => line.trim());
const isStart = (line: string) => /dualanodiff serve .*&/.test(line);
const DOCUMENTED = '127.0.0.1:8080';

describe('the service of the README', { timeout: PATIENCE_MS }, () => {
  const folder = scratchFolder();
  const env: NodeJS.ProcessEnv = { ...process.env, DUALANODIFF_TOKEN: 'a-token-that-is-long-enough' };
  let address: string;
  let service: ReturnType<typeof spawn>;
  /** Uses the test's port, and makes a few pairs only. */
  const adapted = (text: string) => text.replaceAll(DOCUMENTED, address).replace(/(count"?): 1000/, '$1: 4');

  beforeAll(async () => {
    mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true });
    mkdirSync(join(folder, 'node_modules', '@types'));
    symlinkSync(join(root, 'node_modules', '@types', 'node'), join(folder, 'node_modules', '@types', 'node'));
    const command = `exec "${process.execPath}" "${join(root, 'dist', 'cli', 'main.js')}" "$@"`;
    writeFileSync(join(folder, 'node_modules', '.bin', 'dualanodiff'), `#!/bin/sh\n${command}\n`, { mode: 0o755 });
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    cpSync(embedded.example, join(folder, 'tile'), { recursive: true });
    const port = await freePort();
    address = `127.0.0.1:${port}`;
    const start = lines.filter(isStart);
    expect(start).toHaveLength(1);
    const serve = `exec ${(start[0] as string).replace(/ *&.*/, '').replace('npx ', 'node_modules/.bin/')} --port ${port}`;
    service = spawn('bash', ['-c', serve], { cwd: folder, env, stdio: 'ignore' });
    const isUp = () =>
      fetch(`http://${address}/healthz`).then(
        ({ ok }) => ok,
        () => false, // It does not listen yet.
      );
    await vi.waitUntil(isUp, { timeout: PATIENCE_MS, interval: 200 });
  }, PATIENCE_MS);
  afterAll(async () => {
    service.kill('SIGTERM');
    await once(service, 'exit');
  });

  it('takes the dataset and a campaign from curl', () => {
    const commands = lines.filter((line) => !isStart(line) && !line.startsWith('export'));
    const script = adapted(commands.join('\n'));
    const { stdout, stderr, status } = spawnSync('bash', ['-ec', script], { cwd: folder, env, encoding: 'utf8' });
    expect([stderr, status]).toEqual(['', 0]);
    expect(stdout).toContain('"name":"tile"');
    expect(stdout).toContain('"kind":"campaign"');
  });

  it('takes a campaign from a program of at most ten lines, which follows it to its end', () => {
    expect(program.trim().split('\n').length).toBeLessThanOrEqual(10);
    writeFileSync(join(folder, 'program.ts'), adapted(program));
    const options = ['--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const compiled = spawnSync(process.execPath, [compiler, ...options, 'program.ts'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect([compiled.stdout, compiled.status]).toEqual(['', 0]);
    const { stdout, stderr, status } = spawnSync(process.execPath, ['program.js'], {
      ...{ cwd: folder, env, encoding: 'utf8' },
    });
    expect([stderr, status]).toEqual(['', 0]);
    expect(stdout).toContain('event: pair');
    expect(stdout).toMatch(/^completed .*report\.html/m);
  });
});
