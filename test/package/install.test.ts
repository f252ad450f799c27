import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { findLibtorch } from '../../lib/libtorch/locate.js';
import { scratchFolder } from '../helpers/scratch.js';

const root = join(import.meta.dirname, '..', '..');
const folder = scratchFolder();
const app = join(folder, 'app');
const tools = join(folder, 'bin');
let tarball: string;

/** A machine with node and npm, and nothing else on the PATH: no compiler, no CMake, no Python. */
const environment = (more: Record<string, string> = {}): Record<string, string> => ({
  PATH: tools,
  HOME: join(folder, 'home'),
  npm_config_cache: process.env.npm_config_cache ?? join(homedir(), '.npm'),
  LIBTORCH: findLibtorch() ?? '',
  ...more,
});
const node = (file: string, env = environment()) =>
  spawnSync(process.execPath, [file], { cwd: app, env, encoding: 'utf8', timeout: 240_000 });

/** Loads the embedded base, trains two steps, and draws a pair. */
const JOB = `
  const model = await m.DualAnoDiff.load(m.embedded.base);
  const trainer = new m.Trainer(model, { types: ['stain'], resolution: 32, rank: 2, batchSize: 1 });
  for await (const _ of trainer.train(await m.Dataset.open(m.embedded.example), { steps: 2 }));
  const adapter = require('node:path').join(require('node:os').tmpdir(), 'dualanodiff-package-' + process.pid + '-' + tag + '.safetensors');
  await trainer.save(adapter);
  await trainer.dispose();
  const sampler = await m.Sampler.create(model, adapter);
  const sizes = [];
  for await (const pair of sampler.sample({ count: 1, steps: 2 })) sizes.push(pair.image.width, pair.part.height);
  await sampler.dispose();
  await model.dispose();
  require('node:fs').rmSync(adapter);
`;
const PROGRAMS = {
  'esm.mjs': `import { createRequire } from 'node:module';
    import * as m from 'dualanodiff';
    const require = createRequire(import.meta.url);
    const tag = 'esm';
    ${JOB} console.log(sizes.join());`,
  'cjs.cjs': `const m = require('dualanodiff');
    const tag = 'cjs';
    (async () => { ${JOB} console.log(sizes.join()); })();`,
  'workers.mjs': `import { createRequire } from 'node:module';
    import { isMainThread, parentPort, threadId, Worker } from 'node:worker_threads';
    import * as m from 'dualanodiff';
    const require = createRequire(import.meta.url);
    const tag = 'worker' + threadId;
    if (isMainThread) {
      const answers = await Promise.all([0, 1].map(() => new Promise((done, fail) => {
        const worker = new Worker(new URL(import.meta.url));
        worker.once('message', done);
        worker.once('error', fail);
      })));
      console.log(answers.join(' '));
    } else {
      ${JOB} parentPort.postMessage(sizes.join());
    }`,
};

beforeAll(() => {
  expect(existsSync(join(root, 'prebuilds', 'linux-x64', 'dualanodiff.node'))).toBe(true);
  const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root, encoding: 'utf8' });
  tarball = join(folder, (JSON.parse(packed) as { filename: string }[])[0]?.filename as string);
  for (const made of [app, tools, join(folder, 'home')]) mkdirSync(made);
  symlinkSync(process.execPath, join(tools, 'node'));
  const npm = execFileSync('sh', ['-c', 'readlink -f "$(command -v npm)"'], { encoding: 'utf8' }).trim();
  symlinkSync(npm, join(tools, 'npm'));
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "private": true }\n');
  for (const [name, text] of Object.entries(PROGRAMS)) writeFileSync(join(app, name), text);
  const installed = spawnSync(process.execPath, [npm, 'install', '--no-audit', '--no-fund', tarball], {
    cwd: app,
    env: { ...process.env, ...environment() } as NodeJS.ProcessEnv,
    encoding: 'utf8',
  });
  expect(installed.stderr + installed.stdout).not.toContain('ERR!');
  expect(installed.status).toBe(0);
}, 300_000);

describe('the packed package, on a machine with node and npm only', () => {
  it('is small', () => {
    expect(statSync(tarball).size).toBeLessThan(40e6);
    expect(spawnSync('sh', ['-c', 'command -v cc'], { env: environment() }).status).not.toBe(0);
  });

  it.each([
    ['esm.mjs', '32,32'],
    ['cjs.cjs', '32,32'],
    ['workers.mjs', '32,32 32,32'],
  ])('trains and samples from %s', (program, answer) => {
    const { stdout, stderr, status } = node(program);
    expect(stderr).toBe('');
    expect(stdout.trim()).toBe(answer);
    expect(status).toBe(0);
  });

  it('says what to do where libtorch is missing, and where it is another', () => {
    writeFileSync(
      join(app, 'load.mjs'),
      "import { DualAnoDiff, embedded } from 'dualanodiff'; try { await DualAnoDiff.load(embedded.base); } catch (e) { console.log(e.code, e.message); }",
    );
    const missing = node('load.mjs', environment({ LIBTORCH: '' }));
    expect(missing.stdout).toContain('ERR_LIBTORCH_MISSING');
    expect(missing.stdout).toContain('npx dualanodiff libtorch install');
    const other = join(folder, 'other-torch');
    mkdirSync(join(other, 'lib'), { recursive: true });
    for (const file of ['libtorch_cpu.so', 'libc10.so']) writeFileSync(join(other, 'lib', file), '');
    writeFileSync(join(other, 'version.py'), "__version__ = '2.3.1'\n");
    writeFileSync(join(other, 'build-version'), '2.3.1\n');
    const wrong = node('load.mjs', environment({ LIBTORCH: other }));
    expect(wrong.stdout).toContain('ERR_LIBTORCH_INCOMPATIBLE');
    expect(wrong.stdout).toMatch(/2\.11.*2\.3\.1/s);
  });

  it('is refused by npm where it cannot run, and stops by itself where npm was forced', () => {
    const pretend = (name: string, script: string): Record<string, string> => {
      const file = join(folder, `${name}.cjs`);
      writeFileSync(file, script);
      return environment({ NODE_OPTIONS: `--require ${file}`, LIBTORCH: '' });
    };
    const mac = pretend(
      'mac',
      "Object.defineProperties(process, { platform: { value: 'darwin' }, arch: { value: 'arm64' } });",
    );
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    writeFileSync(join(empty, 'package.json'), '{ "name": "empty", "private": true }\n');
    const refused = spawnSync(join(tools, 'node'), [join(tools, 'npm'), 'install', '--offline', tarball], {
      cwd: empty,
      env: mac,
      encoding: 'utf8',
    });
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toMatch(/EBADPLATFORM.*\{"os":"linux","cpu":"x64","libc":"glibc"\}/s);
    expect(existsSync(join(empty, 'node_modules', 'dualanodiff'))).toBe(false);

    const musl = pretend(
      'musl',
      `const get = process.report.getReport.bind(process.report);
      process.report.getReport = () => {
        const { header: { glibcVersionRuntime, ...header }, ...report } = get();
        return { ...report, header, sharedObjects: ['/lib/ld-musl-x86_64.so.1'] };
      };`,
    );
    const main = join(app, 'node_modules', 'dualanodiff', 'dist', 'cli', 'main.js');
    const stopped = spawnSync(process.execPath, [main, 'libtorch', 'install'], { env: musl, encoding: 'utf8' });
    expect(stopped).toMatchObject({ status: 1, stdout: '' });
    expect(stopped.stderr).toMatch(/musl.*node:22-bookworm.*\(ERR_UNSUPPORTED_PLATFORM\)\n$/);
  });

  it('says what it is licensed under, who made it and what it runs on', () => {
    const installed = join(app, 'node_modules', 'dualanodiff');
    const fields = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    expect(fields).toMatchObject({
      ...{ license: 'Apache-2.0', author: 'The dualanodiff authors', engines: { node: '>=20.19' } },
      ...{ os: ['linux'], cpu: ['x64'], libc: ['glibc'] },
    });
    expect(readFileSync(join(installed, 'LICENSE'), 'utf8')).toMatch(/Apache License\s+Version 2\.0.*END OF TERMS/s);
    const notices = readFileSync(join(installed, 'THIRD-PARTY-NOTICES.md'), 'utf8');
    for (const part of ['nlohmann', 'node-addon-api', 'OpenAI', 'utf8proc', 'p-map', 'Unicode, Inc.'])
      expect(notices).toContain(part);
  });

  it('has nothing in it that was not meant to be', () => {
    const top = readdirSync(join(app, 'node_modules', 'dualanodiff')).sort();
    expect(top).toEqual(
      [
        'CHANGELOG.md',
        'CMakeLists.txt',
        'LICENSE',
        'README.md',
        'THIRD-PARTY-NOTICES.md',
        'assets',
        'binding.gyp',
        'dist',
        'native',
        'package.json',
        'prebuilds',
        'scripts',
        'typings',
      ].filter((name) => name !== 'CHANGELOG.md' || top.includes(name)),
    );
  });

  it.each([
    ['attw', ['--format', 'ascii', '--no-emoji', '--profile', 'node16']],
    ['publint', []],
  ])('has no problem that %s knows', (tool, flags) => {
    const target = tool === 'attw' ? tarball : join(app, 'node_modules', 'dualanodiff');
    if (tool === 'publint') cpSync(join(root, 'package.json'), join(target, 'package.json'));
    const bin = join(root, 'node_modules', '.bin', tool);
    const { stdout, stderr, status } = spawnSync(bin, [target, ...flags], { cwd: dirname(target), encoding: 'utf8' });
    // publint has headings for what it found; the names of our entries hold `errors`.
    expect(stdout + stderr).not.toMatch(/^(errors|warnings):/im);
    expect(status).toBe(0);
  });
});
