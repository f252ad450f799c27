/** What ends jobs in the field: readers that go away, closed terminals, full disks, neighbours, torn files. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { embedded } from '../../lib/core/paths.js';
import { caseFolder, casesFolder, inCase } from '../helpers/cases.js';
import { cli, main, type Outcome, trainStains } from '../helpers/cli.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const adapter = join(casesFolder, 'adapter.safetensors');
/** Small jobs of the case's `sample`. */
const sample = (out: string, count: number, ...more: string[]) => [
  ...['sample', '--adapter', adapter, '--count', String(count), '--steps', '2', '--resolution', '32'],
  ...['--mask', 'threshold', '--out', out, ...more],
];
const train = (out: string, ...more: string[]) =>
  trainStains(out, '--rank', '2', '--batch-size', '1', '--seed', '5', ...more);
const run = (data: string, out: string, ...more: string[]) => [
  ...['run', '--data', data, '--out', out, '--steps', '1', '--batch-size', '1', '--resolution', '64'],
  ...['--count', '1', '--sample-steps', '2', '--mask', 'threshold', ...more],
];

/** Runs a line of bash, in which "$@" is the command line. */
function shell(line: string, args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn('bash', ['-c', line, 'bash', process.execPath, main, ...args]);
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

const filesOf = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();
const contents = (path: string) =>
  Object.fromEntries(filesOf(path).map((name) => [name, readFileSync(join(path, name), 'base64')]));
const records = (path: string): Record<string, string | number>[] =>
  readFileSync(join(path, 'pairs.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const leftovers = (path: string) => filesOf(path).filter((name) => /\.partial-|\.lock-/.test(name));
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await wait(20);
}

describe('a reader that goes away', () => {
  it('ends no job (54)', async () => {
    const out = join(folder, 'epipe');
    // The status of `sample` is what counts, not that of `head`.
    const { code, stdout, stderr } = await shell('set -o pipefail; "$@" 2>&1 | head -1', sample(out, 8));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^sampling crack 1\/8 .*\n$/);
    expect(stderr).toBe('');
    expect(records(out)).toHaveLength(8);
    expect(leftovers(out)).toEqual([]);
  });

  it.each(['--help', 'sample --help', '--no-such-option'])('ends %s quietly', async (args) => {
    const { code, stderr } = await shell('set -o pipefail; "$@" 2>&1 | true', args.split(' '));
    expect(code).toBe(args === '--no-such-option' ? 2 : 0);
    expect(stderr).toBe('');
  });

  it('is told from a full disk, where the result is lost', async () => {
    const { code, stderr } = await shell('"$@" > /dev/full', ['--version']);
    expect(code).toBe(1);
    expect(stderr).toBe('error: cannot write standard output: the disk is full\n');
    expect(await shell('"$@" 2> /dev/full', ['--version'])).toMatchObject({ code: 0 });
  });
});

describe('pairs.jsonl (61)', () => {
  const whole = join(folder, 'p');
  beforeAll(async () => {
    expect((await cli(sample(whole, 3))).code).toBe(0);
  });

  it.each<[string, (list: string) => void]>([
    ['cut to 300 bytes', (list) => writeFileSync(list, readFileSync(list).subarray(0, 300))],
    ['with a torn last line', (list) => writeFileSync(list, readFileSync(list).subarray(0, -9))],
    ['with its lines in another order', (list) => writeFileSync(list, reversed(readFileSync(list, 'utf8')))],
    [
      'with a byte order mark and an empty line',
      (list) => writeFileSync(list, `\uFEFF${readFileSync(list, 'utf8')}\r\n`),
    ],
  ])('%s is repaired by --resume', async (name, damage) => {
    const out = join(folder, `p ${name}`);
    cpSync(whole, out, { recursive: true });
    damage(join(out, 'pairs.jsonl'));
    const { code, stderr } = await cli(sample(out, 3, '--resume', '--json'));
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(contents(out)).toEqual(contents(whole));
  });

  const reversed = (text: string) => `${text.trim().split('\n').reverse().join('\n')}\n`;

  it('damaged in between is an error with its line', async () => {
    const out = join(folder, 'p damaged');
    cpSync(whole, out, { recursive: true });
    const list = join(out, 'pairs.jsonl');
    writeFileSync(list, readFileSync(list, 'utf8').replace('{"index":1', '{"index":'));
    const { code, stderr } = await cli(sample(out, 3, '--resume'));
    expect(code).toBe(1);
    expect(stderr).toBe(
      `error: Cannot use ${list}: line 2 is not valid JSON. Correct the line or remove it. (ERR_FILE_ACCESS)\n`,
    );
  });
});

describe('two writers (64)', () => {
  it('have a folder one at a time; a lock that a dead process left is no obstacle', async () => {
    const out = join(folder, 'two');
    const first = spawn(process.execPath, [main, ...sample(out, 8, '--batch-size', '8')], { stdio: 'ignore' });
    const ended = new Promise((done) => first.on('close', done));
    await until(() => existsSync(out) && readdirSync(out).some((name) => /^\.lock-\d+-\w+$/.test(name)));
    first.kill('SIGSTOP'); // it must not end before the second one looks
    const second = await cli(sample(out, 8, '--batch-size', '4', '--seed', '1'));
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/^error: .*two is in use by process \d+ on \S+ since .*\(ERR_BUSY\)\n$/);
    first.kill('SIGCONT');
    expect(await ended).toBe(0);
    expect(records(out).map(({ seed }) => seed)).toEqual(Array(8).fill(0));
    expect(leftovers(out)).toEqual([]);

    const killed = join(folder, 'two killed');
    await cli(sample(killed, 4, '--batch-size', '1'), { kill: { signal: 'SIGKILL', when: /crack 1\/4/ } });
    expect(leftovers(killed).some((name) => name.startsWith('.lock-'))).toBe(true);
    expect(await cli(sample(killed, 4, '--resume'))).toMatchObject({ code: 0 });
    expect(leftovers(killed)).toEqual([]);
  });

  it.each<[string, (out: string) => string[]]>([
    ['run', (out) => run(embedded.example, out)],
    ['evaluate', (out) => ['evaluate', '--data', embedded.example, '--out', out]],
    ['mask', (out) => ['mask', '--parts', join(embedded.example, 'test', 'stain'), '--out', out]],
    ['demo', (out) => ['demo', '--out', out]],
    ['train', (out) => train(join(out, 'a.safetensors'), '--steps', '1')],
    ['convert', (out) => ['convert', '--input', adapter, '--out', join(out, 'a.safetensors')]],
  ])('are kept apart by %s', async (name, args) => {
    const out = join(folder, `busy ${name}`);
    const isFile = name === 'train' || name === 'convert';
    const lock = join(out, `${isFile ? 'a.safetensors' : ''}.lock-1-0123abcd`);
    mkdirSync(out);
    // Of another machine: whether its process lives cannot be told.
    writeFileSync(lock, JSON.stringify({ host: 'elsewhere', pid: 1, since: '2026-01-01T00:00:00.000Z' }));
    const { code, stderr } = await cli(args(out));
    expect(code).toBe(1);
    expect(stderr).toContain(`may be in use by process 1 on elsewhere since 2026-01-01T00:00:00.000Z`);
    expect(stderr).toContain(`if that process has ended, remove ${lock} (ERR_BUSY)`);
    expect(filesOf(out)).toEqual([lock.slice(out.length + 1)]);
  });
});

describe('a terminal that is closed (67)', () => {
  it('leaves a checkpoint that a full disk does no harm, and --resume goes on to the same adapter', async () => {
    const place = join(folder, 's');
    const out = join(place, 'a.safetensors');
    const args = train(out, '--steps', '400', '--checkpoint-every', '100000');
    const child = spawn(process.execPath, [main, ...args]);
    await new Promise((begun) => child.stderr.once('data', begun));
    const ended = new Promise((done) => child.on('close', done));
    // Nobody reads any more. The shell and the kernel send the signal, and npx passes on what it has got itself.
    child.stdout.destroy();
    child.stderr.destroy();
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGHUP'] as const) child.kill(signal);
    expect(await ended).toBe(130);
    const [checkpoint = '', ...others] = filesOf(place);
    expect(checkpoint).toMatch(/^a\.checkpoint-\d{6}\.safetensors$/);
    expect(others).toEqual(['a.safetensors.jsonl']);

    const last = Number(/\d{6}/.exec(checkpoint)?.[0]) + 2;
    const more = [...args, '--resume', '--steps', String(last)];
    // Files of 64 KiB at most: the log has room, a checkpoint has not.
    const full = await shell('ulimit -f 64; exec "$@"', more);
    expect(full.code).toBe(1);
    expect(full.stderr).toMatch(/error: Cannot write .*a\.checkpoint-\d{6}\.safetensors: .*\(ERR_FILE_ACCESS\)\n$/);
    expect(filesOf(place)).toEqual([checkpoint, ...others]);

    expect(await cli(more)).toMatchObject({ code: 0 });
    expect(filesOf(place)).toEqual(['a.safetensors', 'a.safetensors.jsonl']);
    const whole = join(folder, 'whole', 'a.safetensors');
    expect(await cli(train(whole, '--steps', String(last)))).toMatchObject({ code: 0 });
    expect(readFileSync(out).equals(readFileSync(whole))).toBe(true);
    const lines = (file: string) => readFileSync(`${file}.jsonl`, 'utf8').trim().split('\n').length;
    expect(lines(out)).toBe(last);
  });
});

describe('a terminal that is gone (67)', () => {
  it('ends the job with a checkpoint and its own exit code, not with a core dump', async () => {
    const place = join(folder, 'gone');
    const status = join(folder, 'gone.status');
    const args = train(join(place, 'a.safetensors'), '--steps', '4000', '--checkpoint-every', '100000');
    const command = [process.execPath, main, ...args].map((arg) => `'${arg}'`).join(' ');
    // The shell that the terminal belongs to ends with it. The one within stays to tell the exit code.
    const script = join(folder, 'gone.sh');
    writeFileSync(script, `trap '' HUP; ${command}; echo $? > '${status}.new'; mv '${status}.new' '${status}'\n`);
    const terminal = spawn('script', ['-qfc', `sh '${script}'; true`, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    let shown = '';
    terminal.stdout.on('data', (data) => {
      shown += data;
    });
    await until(() => shown.includes('loss'));
    terminal.kill('SIGKILL');
    await until(() => existsSync(status));
    expect(readFileSync(status, 'utf8')).toBe('130\n');
    expect(filesOf(place)).toEqual([expect.stringMatching(/^a\.checkpoint-\d{6}\./), 'a.safetensors.jsonl']);
  });
});

describe('a full disk', () => {
  it('leaves the pairs that there was room for', async () => {
    const out = join(folder, 'full pairs');
    // Lists of 1 KiB at most hold no three pairs; a picture of 32 x 32 has more than that, too.
    const full = await shell('ulimit -f 1; exec "$@"', sample(out, 3));
    expect(full.code).toBe(1);
    expect(full.stderr).toMatch(/^error: Cannot write .* \(ERR_FILE_ACCESS\)\n$/);
    expect(leftovers(out)).toEqual([]);
    expect(await cli(sample(out, 3, '--resume'))).toMatchObject({ code: 0 });
    expect(contents(out)).toEqual(contents(join(folder, 'p')));
  });
});

describe('sample that is killed', () => {
  it('ends in the same folder after --resume, wherever it was', async () => {
    const args = (out: string) => [
      ...sample(out, 6, '--batch-size', '2'),
      ...['--mask', 'threshold,attention', '--keep-best', '50%'],
    ];
    const [whole, killed] = [join(folder, 'unkilled'), join(folder, 'killed')];
    expect(await cli(args(whole))).toMatchObject({ code: 0 });
    for (const pairs of [1, 4, 6]) {
      const when = new RegExp(`crack ${pairs}/6`);
      await cli([...args(killed), '--resume'], { kill: { signal: 'SIGKILL', when } });
    }
    expect(await cli([...args(killed), '--resume'])).toMatchObject({ code: 0 });
    expect(contents(killed)).toEqual(contents(whole));
    expect(filesOf(killed).some((name) => name.startsWith('dropped/'))).toBe(true);
  });
});

describe('a type called dropped (09)', () => {
  it('has each file where pairs.jsonl says, after --resume, too', async () => {
    const out = join(folder, 'dropped');
    const args = run('tile', out, '--count', '4', '--mask', 'threshold,attention', '--keep-best', '50%');
    for (const more of [[], ['--resume']]) {
      expect(await inCase('09-type-dropped', [...args, ...more])).toMatchObject({ code: 0 });
      const dataset = join(out, 'dropped', 'dataset');
      const named = records(dataset).flatMap(({ image, part, mask }) => [image, part, mask] as string[]);
      expect(filesOf(dataset)).toEqual([...named, 'pairs.jsonl'].sort());
      expect(named.filter((name) => name.startsWith('dropped/'))).toHaveLength(6);
      for (const name of named)
        expect(name).toMatch(/^(dropped\/)?(test|part|ground_truth)\/dropped\/00000\d(_mask)?\.png$/);
    }
  });
});

describe('a campaign', () => {
  it('makes the other categories where an image of one is damaged (17)', async () => {
    const out = join(folder, 'campaign');
    const { code, stderr } = await inCase('17-truncated-bmp', run('set', out));
    expect(code).toBe(1);
    expect(stderr).not.toMatch(/^\s+at /m); // no stack
    const { types, failures } = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'));
    expect(types).toMatchObject([{ category: 'b', pairs: 1 }]);
    expect(failures).toMatchObject([{ category: 'a', type: 'crack' }]);
  });

  it('makes the other categories where one cannot be opened, and prints one line of JSON', async () => {
    const data = join(folder, 'categories');
    cpSync(caseFolder('tile'), join(data, 'a'), { recursive: true });
    mkdirSync(join(data, 'b', 'test'), { recursive: true }); // no type
    const { code, stdout, stderr } = await cli(run(data, join(folder, 'opened'), '--json'));
    expect(code).toBe(1);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    const { types, failures } = JSON.parse(stdout);
    expect(types).toMatchObject([{ category: 'a', pairs: 1 }]);
    expect(failures).toEqual([
      { category: 'b', code: 'ERR_DATASET_INVALID', message: expect.stringContaining('holds no defect type') },
    ]);
    expect(stderr).toMatch(/^b: .*holds no defect type.*\(ERR_DATASET_INVALID\)\n$/);
    rmSync(join(data, 'a'), { recursive: true });
    expect(await cli(run(data, join(folder, 'opened none')))).toMatchObject({ code: 1, stdout: '' });
    expect(existsSync(join(folder, 'opened none'))).toBe(false);
  });
});

describe('an evaluation', () => {
  it('goes on past a run that fails, keeps the others, and says how many failed', async () => {
    const [out, pairs] = [join(folder, 'evaluation'), join(folder, 'damaged pairs')];
    cpSync(caseFolder('tile'), pairs, { recursive: true });
    const damaged = join(pairs, 'test', 'crack', '000.png');
    writeFileSync(damaged, readFileSync(damaged).subarray(0, 90));
    const { code, stderr, stdout } = await cli([
      ...['evaluate', '--data', caseFolder('tile'), '--generated', `damaged=${pairs}`, '--no-with-real', '--compare'],
      ...['draem,none', '--seeds', '1', '--iterations', '2', '--resolution', '32', '--no-classifier', '--jobs', '1'],
      ...['--out', out, '--json'],
    ]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^error: 1 of 3 runs failed; the others are kept\. damaged seed 0: .*000\.png.* \(ERR_DATASET_INVALID\)\n$/,
    );
    expect(filesOf(join(out, 'runs')).map((name) => name.replace(/-\w+\.json$/, ''))).toEqual([
      'draem-detector-seed0',
      'none-detector-seed0',
    ]);
  });
});
