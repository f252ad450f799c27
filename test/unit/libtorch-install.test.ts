import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type InstallOptions, installFrom } from '../../lib/libtorch/install.js';
import { cacheFolder } from '../../lib/libtorch/locate.js';
import { cudaWheels, type LibtorchWheel, wheels as pinned } from '../../lib/libtorch/wheels.js';
import { unpackZip } from '../../lib/wheels/unpack.js';
import { cli } from '../helpers/cli.js';
import { scratchFolder } from '../helpers/scratch.js';
import { type ZipEntry, zipOf } from '../helpers/zip.js';

const folder = scratchFolder();
let round = 0;
let work: string;
let cache: string;
let from: string;

/** A small wheel in `from`, with the record that pins it. */
function makeWheel(name: string, entries: ZipEntry[], tag = 'manylinux_2_28_x86_64'): LibtorchWheel {
  const bytes = zipOf(entries);
  const file = `${name.replaceAll('-', '_')}-1.0-py3-none-${tag}.whl`;
  writeFileSync(join(from, file), bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { name, version: '1.0', file, sha256, sizeMb: 1, keep: /\.so|version\.py$/ };
}
const torchEntries: ZipEntry[] = [
  { name: 'torch/lib/libtorch_cpu.so', text: 'the library' },
  { name: 'torch/version.py', text: "__version__ = '2.11.0'\n" },
  { name: 'torch/nn.py', text: 'not kept' },
];
let wanted: LibtorchWheel[];

beforeEach(() => {
  work = join(folder, String(++round));
  from = join(work, 'wheels');
  cache = join(work, 'cache');
  mkdirSync(from, { recursive: true });
  vi.stubEnv('LIBTORCH', '');
  vi.stubEnv('DUALANODIFF_CACHE', cache);
  wanted = [
    makeWheel('torch', torchEntries),
    makeWheel('nvidia-cuda-cupti', [{ name: 'nvidia/lib/libcupti.so', text: 'cupti' }], 'manylinux_2_25_x86_64'),
  ];
});
afterEach(() => vi.unstubAllEnvs());

const pathOf = (wheel: LibtorchWheel | undefined) => join(from, wheel?.file ?? '');
const install = (options: InstallOptions = {}, files = wanted) => installFrom(files, options);
const failure = (promise: Promise<unknown>): Promise<Error & { code: string }> =>
  promise.then(
    () => expect.fail('it should have failed'),
    (error) => error,
  );
/** Nothing that is not whole is left. */
const expectNothing = () => expect(existsSync(cache) ? readdirSync(cache) : []).toEqual([]);

describe('libtorch install --from FOLDER', () => {
  beforeEach(() => vi.stubEnv('PATH', '/nowhere')); // without pip, nothing can be downloaded

  it('takes every wheel out of it and keeps what is needed', async () => {
    const lines: string[] = [];
    const torch = await install({ from, log: (line) => lines.push(line) });
    expect(torch).toBe(join(cacheFolder(), 'torch'));
    expect(readFileSync(join(torch, 'lib', 'libtorch_cpu.so'), 'utf8')).toBe('the library');
    expect(readFileSync(join(torch, '..', 'nvidia', 'lib', 'libcupti.so'), 'utf8')).toBe('cupti');
    expect(existsSync(join(torch, 'nn.py'))).toBe(false);
    expect(readdirSync(cache)).toEqual(['libtorch-2.11.0']);
    expect(lines.join()).not.toContain('downloading');
  });

  it('tells a file that a browser renamed by its content, beside a damaged one of the right name', async () => {
    const torch = pathOf(wanted[0]);
    cpSync(torch, torch.replace('.whl', ' (1).whl'));
    writeFileSync(torch, 'half of i');
    expect(existsSync(await install({ from }))).toBe(true);
  });

  it('names all that is missing or damaged, with digests and the command that fetches it', async () => {
    writeFileSync(pathOf(wanted[0]), 'half of i');
    const files = [
      ...wanted,
      { ...(wanted[1] as LibtorchWheel), name: 'nvidia-other', file: 'nvidia_other-1.0-py3-none-any.whl' },
    ];
    const { message, code } = await failure(install({ from }, files));
    expect(code).toBe('ERR_LIBTORCH_DOWNLOAD');
    expect(message).toContain(`${from} lacks 2 of the 3 files`);
    expect(message).toMatch(/torch-1\.0-py3-none-manylinux_2_28_x86_64\.whl is damaged, incomplete or another build/);
    expect(message).toContain(wanted[0]?.sha256);
    expect(message).toContain('nvidia_other-1.0-py3-none-any.whl');
    expect(message).not.toContain('cupti');
    expect(message).toMatch(
      /pip download --no-deps .*--platform manylinux_2_28_x86_64 .*--dest wheels torch==1.0 nvidia-other==1.0\n/,
    );
    expectNothing();
  });

  it('says that a path is not there', async () => {
    const { message, code } = await failure(install({ from: join(work, 'nowhere') }));
    expect(message).toBe(`Cannot read ${join(work, 'nowhere')}: there is no such file or folder`);
    expect(code).toBe('ERR_FILE_ACCESS');
    expectNothing();
  });
});

describe('libtorch install through pip', () => {
  /** A machine where only the given commands are. */
  function onlyCommands(scripts: Record<string, string>) {
    const bin = join(work, 'bin');
    mkdirSync(bin);
    for (const [name, script] of Object.entries(scripts)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    vi.stubEnv('PATH', bin);
  }

  it('says which files to fetch elsewhere, and how, where pip is missing', async () => {
    onlyCommands({ python3: 'echo "No module named pip" >&2; exit 1' });
    const { message, code } = await failure(installFrom(pinned));
    expect(code).toBe('ERR_LIBTORCH_DOWNLOAD');
    expect(message).toContain('pip was not found (on Debian and Ubuntu: `apt-get install python3-pip`)');
    for (const { file, sha256, sizeMb } of pinned)
      expect(message).toContain(`  ${file}\n    ${sizeMb} MB, SHA-256 ${sha256}\n`);
    expect(message).toMatch(
      /\n {2}pip download .* torch==2\.11\.0 nvidia-cuda-runtime==13\.0\.96 nvidia-cuda-cupti==13\.0\.85\n/,
    );
    expect(message).toMatch(/\n {2}npx dualanodiff libtorch install --from wheels\n/);
    const cuda = await failure(installFrom([...pinned, ...cudaWheels], { variant: 'cuda' }));
    expect(cuda.message).toContain('nvidia_cudnn_cu13-9.19.0.56');
    expect(cuda.message).toMatch(/libtorch install --cuda --from wheels\n/);
    expectNothing();
  });

  it('says that pip is too old, or that it reaches nothing', async () => {
    onlyCommands({ pip: 'echo "pip 19.3.1 from /usr/lib (python 3.8)"' });
    expect((await failure(install())).message).toContain('pip is version 19.3.1, and 20.3 or newer is needed');
    onlyCommandsAgain(
      `[ "$1" = --version ] && echo "pip 23.0 from /usr/lib (python 3.11)" && exit 0
      echo "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError: Temporary failure in name resolution': /simple/torch/" >&2
      echo "ERROR: No matching distribution found for torch==1.0" >&2
      exit 1`,
    );
    const { message } = await failure(install());
    expect(message).toContain('pip could not download torch 1.0: the package index cannot be reached (');
    expect(message).toContain('Temporary failure in name resolution');
    expect(message).toContain('--from wheels');
    expectNothing();
  });
  const onlyCommandsAgain = (script: string) => writeFileSync(join(work, 'bin', 'pip'), `#!/bin/sh\n${script}\n`);

  it('refuses a download that is not the pinned file', async () => {
    onlyCommands({
      pip: `[ "$1" = --version ] && echo "pip 23.0 from /usr/lib (python 3.11)" && exit 0
        while [ "$1" != --dest ]; do shift; done
        echo other > "$2/${wanted[0]?.file}"`,
    });
    expect((await failure(install())).message).toMatch(/torch-1\.0-.*\.whl has the SHA-256 .*, expected/);
    expectNothing();
  });

  it('is ended by a signal and leaves nothing', async () => {
    onlyCommands({
      pip: '[ "$1" = --version ] && echo "pip 23.0 from /usr/lib (python 3.11)" && exit 0; exec /bin/sleep 60',
    });
    const abort = new AbortController();
    const log = (line: string) => {
      if (line.startsWith('downloading')) setTimeout(() => abort.abort(), 50);
    };
    expect((await failure(install({ signal: abort.signal, log }))).code).toBe('ERR_ABORTED');
    expectNothing();
  });
});

describe('libtorch install --from a file or an address', () => {
  let server: Server;
  let address: string;
  const answers: Record<string, [number, string | Buffer]> = {};
  beforeAll(async () => {
    server = createServer((request, response) => {
      const [status, body] = answers[request.url ?? ''] ?? [404, 'no'];
      response.writeHead(status, status === 302 ? { location: String(body) } : {});
      response.end(body);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  const official = (version: string, name = 'libtorch/lib/libtorch_cpu.so') =>
    zipOf([
      { name, text: 'the library' },
      { name: 'libtorch/build-version', text: `${version}\n` },
    ]);

  it('takes the official archive, of the right version only', async () => {
    const file = join(work, 'libtorch.zip');
    writeFileSync(file, official('2.3.0+cpu'));
    expect((await failure(install({ from: file }))).message).toContain('holds libtorch 2.3.0+cpu; 2.11.0 is needed');
    writeFileSync(file, official('2.11.0+cpu'));
    expect((await failure(install({ from: file, variant: 'cuda' }))).message).toContain('for the CPU only');
    writeFileSync(file, official('2.11.0+cpu', 'libtorch/lib/libother.so'));
    expect((await failure(install({ from: file }))).message).toContain(
      'the unpacked files do not include libtorch_cpu.so',
    );
    expectNothing();
    writeFileSync(file, official('2.11.0+cpu'));
    expect(existsSync(await install({ from: file }))).toBe(true);
  });

  it('takes a wheel from an address under another name', async () => {
    answers['/download?id=7'] = [200, readFileSync(pathOf(wanted[0]))];
    expect(existsSync(await install({ from: `${address}/download?id=7` }, wanted.slice(0, 1)))).toBe(true);
  });

  it('says what an address gave instead', async () => {
    answers['/moved.zip'] = [302, '/login'];
    answers['/login'] = [200, '<!DOCTYPE html><title>Sign in</title>'];
    expect((await failure(install({ from: `${address}/moved.zip` }))).message).toContain(
      'it is a web page (it begins with "<!DOCTYPE html>',
    );
    expect((await failure(install({ from: `${address}/none.zip` }))).message).toContain('/none.zip answered 404');
    expect((await failure(install({ from: 'http://127.0.0.1:9/x.zip' }))).message).toContain('cannot be reached: ');
    answers['/torch-9.9-cp311-cp311-linux_x86_64.whl'] = [200, official('2.11.0')];
    const other = await failure(install({ from: `${address}/torch-9.9-cp311-cp311-linux_x86_64.whl` }));
    expect(other.message).toContain('is not one of the wheels');
    expect(other.message).toContain(wanted[0]?.file);
    expectNothing();
  });

  it('refuses zips that reach outside the folder, hold links or are damaged', async () => {
    const bad = join(work, 'bad.zip');
    const unpack = async (entries: ZipEntry[] | Buffer) => {
      writeFileSync(bad, Buffer.isBuffer(entries) ? entries : zipOf(entries));
      mkdirSync(join(work, 'inside'), { recursive: true });
      return (await failure(unpackZip(bad, join(work, 'inside'), () => true))).message;
    };
    expect(await unpack([{ name: '../outside.so', text: 'x' }])).toContain('invalid relative path: ../outside.so');
    expect(await unpack([{ name: '/tmp/outside.so', text: 'x' }])).toContain('absolute path: /tmp/outside.so');
    expect(await unpack([{ name: 'lib/link', text: '/etc', mode: 0o120777 }])).toContain('lib/link is a symbolic link');
    expect(await unpack([{ name: 'lib/a.so', text: 'x', crc: 7 }])).toContain('lib/a.so is damaged (wrong CRC-32)');
    expect(await unpack(official('2.11.0').subarray(0, 60))).toContain(`${bad} cannot be unpacked: `);
    expect(existsSync(join(work, 'outside.so'))).toBe(false);
  });
});

describe('installs beside one another', () => {
  it('the second of two leaves what the first has put there', async () => {
    let first: number | undefined;
    const one = () =>
      install({ from }).then((torch) => {
        first ??= statSync(join(torch, '..')).ino;
      });
    await Promise.all([one(), one(), one()]);
    expect(statSync(cacheFolder()).ino).toBe(first);
    expect(readdirSync(cache)).toEqual(['libtorch-2.11.0']);
  });

  it('a new one replaces an older one, and one that is not whole', async () => {
    await install({ from });
    const before = statSync(cacheFolder()).ino;
    await install({ from });
    expect(statSync(cacheFolder()).ino).not.toBe(before);
    expect(readdirSync(cache)).toEqual(['libtorch-2.11.0']);
    rmSync(join(cacheFolder(), 'dualanodiff-install.json')); // as if it had been copied and interrupted
    writeFileSync(join(cacheFolder(), 'rest'), '');
    expect(existsSync(await install({ from }))).toBe(true);
    expect(readdirSync(cacheFolder()).sort()).toEqual(['dualanodiff-install.json', 'nvidia', 'torch']);
  });

  it('removes what killed ones have left, and nothing of those that run', async () => {
    const ended = spawn('true');
    await new Promise((done) => ended.once('exit', done));
    const mine = hostname().replace(/[^\w.-]/g, '_');
    const left = [
      `libtorch-2.11.0-partial-${mine}-${ended.pid}-abcDEF`,
      `libtorch-2.10.0-partial-${mine}-${ended.pid}-abcDEF-old`,
      'libtorch-2.11.0-partial-old001',
    ];
    const kept = [
      `libtorch-2.11.0-partial-${mine}-${process.pid}-abcDEF`,
      `libtorch-2.11.0-partial-elsewhere-${ended.pid}-abcDEF`,
      'libtorch-2.11.0-partial-new001',
    ];
    for (const name of [...left, ...kept]) mkdirSync(join(cache, name, 'torch'), { recursive: true });
    utimesSync(join(cache, 'libtorch-2.11.0-partial-old001'), 1e9, 1e9);
    await install({ from });
    expect(readdirSync(cache).sort()).toEqual(['libtorch-2.11.0', ...kept].sort());
  });
});

it('the command says it in the same words and is ended by Ctrl-C', async () => {
  const env = { LIBTORCH: '', DUALANODIFF_CACHE: cache, PATH: '/nowhere' };
  const missing = await cli(['libtorch', 'install', '--from', from], { env });
  expect(missing).toMatchObject({ code: 1, stdout: '' });
  expect(missing.stderr).toMatch(/^error: \S+ lacks 3 of the 3 files/);
  const bin = join(work, 'bin');
  mkdirSync(bin);
  writeFileSync(
    join(bin, 'pip'),
    '#!/bin/sh\n[ "$1" = --version ] && echo "pip 23.0 from x" && exit 0; exec /bin/sleep 60\n',
  );
  chmodSync(join(bin, 'pip'), 0o755);
  const ended = await cli(['libtorch', 'install'], {
    env: { ...env, PATH: bin },
    kill: { signal: 'SIGINT', when: /downloading/ },
  });
  expect(ended).toMatchObject({ code: 130, stderr: 'interrupted\n' });
  expectNothing();
});
