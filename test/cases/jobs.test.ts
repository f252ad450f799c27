/** These events end jobs in the field: readers that go away, closed terminals, full disks, neighbours, torn files. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { convertAdapter, embedded } from '../../lib/index.js';
import {
  type CampaignJobOptions,
  campaign,
  evaluate,
  type GenerateJobOptions,
  generate,
  type JobEvent,
  learn,
  mask,
} from '../../lib/jobs/index.js';
import { caseFolder, crackAdapter } from '../helpers/cases.js';
import { cli, flagsOf, main, type Outcome } from '../helpers/cli.js';
import { expectFailure } from '../helpers/failures.js';
import { contentsOf, filesOf, leftoversOf, recordsOf } from '../helpers/files.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const adapter = await crackAdapter();
const sampling = (out: string, count: number): GenerateJobOptions => ({
  ...{ adapter, out, count, steps: 2, resolution: 32, scheduler: 'pndm', mask: ['threshold'] },
});
const training = (out: string, steps: number) => ({
  ...{ data: embedded.example, type: 'stain', out, steps, resolution: 32, rank: 2, batchSize: 1, seed: 5 },
});
const small = (data: string, out: string): CampaignJobOptions => ({
  ...{ data, out, trainSteps: 1, trainBatchSize: 1, resolution: 64, count: 1, steps: 2, mask: ['threshold'] },
});

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

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await wait(20);
}

describe('a reader that goes away', () => {
  it('a job whose output nobody reads any more goes on to its end (54)', async () => {
    const out = join(folder, 'epipe');
    // The status of `sample` is what counts, not that of `head`.
    const line = 'set -o pipefail; "$@" 2>&1 | head -1';
    const { code, stdout } = await shell(line, ['sample', ...flagsOf(sampling(out, 8))]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^sampling crack 1\/8 .*\n$/);
    expect(recordsOf(out)).toHaveLength(8);
    expect(leftoversOf(out)).toEqual([]);
  });

  it.each(['--help', 'sample --help-all'])('%s ends quietly when nobody reads it', async (args) => {
    const outcome = await shell('set -o pipefail; "$@" | true', args.split(' '));
    expect(outcome).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('a usage error keeps its exit code when nobody reads its message', async () => {
    expect(await shell('set -o pipefail; "$@" 2>&1 | true', ['--no-such-option'])).toMatchObject({ code: 2 });
  });

  it('a result that a full disk loses is an error, and a message that it loses is not', async () => {
    const { code, stderr } = await shell('"$@" > /dev/full', ['--version']);
    expect(code).toBe(1);
    expect(stderr).toBe('error: cannot write standard output: the disk is full\n');
    expect(await shell('"$@" 2> /dev/full', ['--version'])).toMatchObject({ code: 0 });
  });
});

describe('pairs.jsonl (61)', () => {
  const whole = join(folder, 'p');
  beforeAll(async () => {
    await generate(sampling(whole, 3));
  });

  const reversed = (text: string) => `${text.trim().split('\n').reverse().join('\n')}\n`;
  it.each<[string, (text: string) => string]>([
    ['cut to 300 bytes', (text) => text.slice(0, 300)],
    ['with a torn last line', (text) => text.slice(0, -9)],
    ['with its lines in another order', reversed],
    ['with a byte order mark and an empty line', (text) => `\uFEFF${text}\r\n`],
  ])('a list of pairs %s is repaired by resume', async (name, damage) => {
    const out = join(folder, `p ${name}`);
    cpSync(whole, out, { recursive: true });
    const list = join(out, 'pairs.jsonl');
    const before = readFileSync(list, 'utf8');
    writeFileSync(list, damage(before));
    expect(readFileSync(list, 'utf8')).not.toBe(before);
    const events: JobEvent[] = [];
    await generate({ ...sampling(out, 3), resume: true }, { onEvent: (event) => events.push(event) });
    expect(events.filter(({ event }) => event === 'warning')).toEqual([]);
    expect(contentsOf(out)).toEqual(contentsOf(whole));
  });

  it('a list of pairs that is damaged in between is an error that names the line', async () => {
    const out = join(folder, 'p damaged');
    cpSync(whole, out, { recursive: true });
    const list = join(out, 'pairs.jsonl');
    writeFileSync(list, readFileSync(list, 'utf8').replace('{"index":1', '{"index":'));
    await expectFailure(
      generate({ ...sampling(out, 3), resume: true }),
      'ERR_FILE_ACCESS',
      `Cannot use ${list}: line 2 is not valid JSON. Correct the line or remove it.`,
    );
  });
});

describe('two writers (64)', () => {
  it('of two processes that write to a folder the second one is refused', async () => {
    const out = join(folder, 'two');
    const args = ['sample', ...flagsOf({ ...sampling(out, 8), batchSize: 8 })];
    const first = spawn(process.execPath, [main, ...args], { stdio: 'ignore' });
    const ended = new Promise((done) => first.on('close', done));
    await until(() => existsSync(out) && readdirSync(out).some((name) => /^\.lock-\d+-\w+$/.test(name)));
    first.kill('SIGSTOP'); // It must not end before the second one looks.
    const second = generate({ ...sampling(out, 8), batchSize: 4, seed: 1 });
    await expectFailure(second, 'ERR_BUSY', `${out} is in use by process ${first.pid} on `);
    first.kill('SIGCONT');
    expect(await ended).toBe(0);
    expect(recordsOf(out).map(({ seed }) => seed)).toEqual(Array(8).fill(0));
    expect(leftoversOf(out)).toEqual([]);
  });

  it('a lock that a killed process left is no obstacle', async () => {
    const out = join(folder, 'two killed');
    const args = ['sample', ...flagsOf({ ...sampling(out, 4), batchSize: 1 })];
    await cli(args, { kill: { signal: 'SIGKILL', when: /crack 1\/4/ } });
    expect(leftoversOf(out).some((name) => name.startsWith('.lock-'))).toBe(true);
    await generate({ ...sampling(out, 4), resume: true });
    expect(recordsOf(out)).toHaveLength(4);
    expect(leftoversOf(out)).toEqual([]);
  });

  const { example } = embedded;
  const convert = (out: string) => convertAdapter(adapter, join(out, 'a.safetensors'));
  it.each<[string, (out: string) => Promise<unknown>]>([
    ['generate', (out) => generate(sampling(out, 1))],
    ['campaign', (out) => campaign(small(example, out))],
    ['campaign of augment', (out) => campaign({ data: example, out, recipe: 'augment' })],
    ['evaluate', (out) => evaluate({ data: example, out })],
    ['mask', (out) => mask({ parts: join(example, 'test', 'stain'), out })],
    ['learn', (out) => learn(training(join(out, 'a.safetensors'), 1))],
    ['convertAdapter', convert],
  ])('%s leaves a folder alone that a process of another machine has locked', async (name, work) => {
    const out = join(folder, `busy ${name}`);
    const isFile = name === 'learn' || name === 'convertAdapter';
    const lock = join(out, `${isFile ? 'a.safetensors' : ''}.lock-1-0123abcd`);
    mkdirSync(out);
    // This machine cannot find out if a process of another machine is alive.
    writeFileSync(lock, JSON.stringify({ host: 'elsewhere', pid: 1, since: '2026-01-01T00:00:00.000Z' }));
    await expectFailure(
      work(out),
      'ERR_BUSY',
      'may be in use by process 1 on elsewhere since 2026-01-01T00:00:00.000Z',
      `if that process has ended, remove ${lock}`,
    );
    expect(filesOf(out)).toEqual([lock.slice(out.length + 1)]);
  });

  it('demo leaves a folder alone that another process has locked', async () => {
    const out = join(folder, 'busy generate');
    const before = filesOf(out);
    expect(await cli(['demo', '--out', out])).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_BUSY') });
    expect(filesOf(out)).toEqual(before);
  });
});

describe('a terminal that is closed (67)', () => {
  it('training leaves a checkpoint that a full disk does no harm, and resume goes on to the same adapter', async () => {
    const place = join(folder, 's');
    const out = join(place, 'a.safetensors');
    const options = { ...training(out, 400), checkpointEvery: 100_000 };
    const child = spawn(process.execPath, [main, 'train', ...flagsOf(options)]);
    await new Promise<void>((begun) => child.stderr.on('data', (text) => /1\/400/.test(String(text)) && begun()));
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
    const more = { ...options, resume: true, steps: last };
    // Files have 64 KiB at most: the log has room, and a checkpoint has not.
    const full = await shell('ulimit -f 64; exec "$@"', ['train', ...flagsOf(more)]);
    expect(full.code).toBe(1);
    expect(full.stderr).toMatch(/error: Cannot write .*a\.checkpoint-\d{6}\.safetensors: .*\(ERR_FILE_ACCESS\)\n$/);
    expect(filesOf(place)).toEqual([checkpoint, ...others]);

    await learn(more);
    expect(filesOf(place)).toEqual(['a.safetensors', 'a.safetensors.jsonl']);
    const whole = join(folder, 'whole', 'a.safetensors');
    await learn(training(whole, last));
    expect(readFileSync(out).equals(readFileSync(whole))).toBe(true);
    expect(readFileSync(`${out}.jsonl`, 'utf8').trim().split('\n')).toHaveLength(last);
  });
});

describe('a terminal that is gone (67)', () => {
  it('training ends with a checkpoint and its own exit code, not with a core dump', async () => {
    const place = join(folder, 'gone');
    const status = join(folder, 'gone.status');
    const args = ['train', ...flagsOf({ ...training(join(place, 'a.safetensors'), 4000), checkpointEvery: 100_000 })];
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
  it('sampling leaves the pairs that there was room for, and resume makes the others', async () => {
    const [whole, out] = [join(folder, 'roomy pairs'), join(folder, 'full pairs')];
    // Batches of one: a pair's neighbours in a batch change how its sums are rounded.
    const options = (folder: string) => ({ ...sampling(folder, 12), batchSize: 1 });
    await generate(options(whole));
    // Files have 4 KiB at most: that is enough for a picture of 32 x 32, and not for the list of twelve pairs.
    expect(readFileSync(join(whole, 'pairs.jsonl')).length).toBeGreaterThan(4096);
    const full = await shell('ulimit -f 4; exec "$@"', ['sample', ...flagsOf(options(out))]);
    expect(full.code).toBe(1);
    expect(full.stderr).toMatch(/error: Cannot write .*pairs\.jsonl.* \(ERR_FILE_ACCESS\)\n$/);
    expect(leftoversOf(out)).toEqual([]);
    const kept = Object.entries(contentsOf(out)).filter(([name]) => name.startsWith('test/'));
    expect(kept.length).toBeGreaterThan(1);
    expect(contentsOf(whole)).toMatchObject(Object.fromEntries(kept));
    await generate({ ...options(out), resume: true });
    expect(contentsOf(out)).toEqual(contentsOf(whole));
  });
});

describe('sample that is killed', () => {
  it('sampling that was killed three times ends after resume in the folder of one that was not killed', async () => {
    const options = (out: string): GenerateJobOptions => ({
      ...{ ...sampling(out, 6), batchSize: 2, mask: ['threshold', 'attention'], keepBest: '50%' },
    });
    const [whole, killed] = [join(folder, 'unkilled'), join(folder, 'killed')];
    await generate(options(whole));
    const args = ['sample', ...flagsOf({ ...options(killed), resume: true })];
    const kill = (when: RegExp) => cli(args, { kill: { signal: 'SIGKILL', when } });
    expect(await kill(/crack [1-6]\/6/)).toMatchObject({ code: null });
    expect(await kill(/crack [4-6]\/6/)).toMatchObject({ code: null });
    await kill(/crack 6\/6/); // It may have ended before the signal comes.
    await generate({ ...options(killed), resume: true });
    expect(contentsOf(killed)).toEqual(contentsOf(whole));
    expect(filesOf(killed).some((name) => name.startsWith('dropped/'))).toBe(true);
  });
});

describe('a type called dropped (09)', () => {
  it('a type called dropped has each file where pairs.jsonl says, after resume, too', async () => {
    const out = join(folder, 'dropped');
    const data = join(caseFolder('09-type-dropped'), 'tile');
    const options = { ...small(data, out), count: 4, mask: ['threshold', 'attention'], keepBest: '50%' } as const;
    for (const resume of [false, true]) {
      await campaign({ ...options, mask: [...options.mask], resume });
      const dataset = join(out, 'dropped', 'dataset');
      const named = recordsOf(dataset).flatMap(({ image, part, mask }) => [image, part, mask as string]);
      expect(filesOf(dataset)).toEqual([...named, 'pairs.jsonl'].sort());
      expect(named.filter((name) => name.startsWith('dropped/'))).toHaveLength(6);
      for (const name of named)
        expect(name).toMatch(/^(dropped\/)?(test|part|ground_truth)\/dropped\/00000\d(_mask)?\.png$/);
      const report = readFileSync(join(out, 'dropped', 'report.html'), 'utf8');
      for (const name of filesOf(join(out, 'dropped', 'thumbnails'))) expect(report).toContain(`thumbnails/${name}`);
    }
  });
});

describe('a campaign', () => {
  it('a campaign makes the other categories where an image of one is damaged (17)', async () => {
    const out = join(folder, 'campaign');
    const { types, failures } = await campaign(small(join(caseFolder('17-truncated-bmp'), 'set'), out));
    expect(types).toMatchObject([{ category: 'b', pairs: 1 }]);
    expect(failures).toMatchObject([{ category: 'a', type: 'crack', code: 'ERR_DATASET_INVALID' }]);
    expect(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'))).toMatchObject({ types, failures });
  });

  it('run makes the other categories where one cannot be opened, and prints one line of JSON', async () => {
    const data = join(folder, 'categories');
    cpSync(caseFolder('tile'), join(data, 'a'), { recursive: true });
    mkdirSync(join(data, 'b', 'test'), { recursive: true }); // It has no type.
    const opened = join(folder, 'opened');
    const { code, stdout, stderr } = await cli(['run', ...flagsOf(small(data, opened)), '--json']);
    expect(code).toBe(1);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    const { types, failures } = JSON.parse(stdout);
    expect(types).toMatchObject([{ category: 'a', pairs: 1 }]);
    expect(failures).toEqual([
      { category: 'b', code: 'ERR_DATASET_INVALID', message: expect.stringContaining('holds no defect type') },
    ]);
    expect(stderr).toMatch(/^warning: b: .*holds no defect type.*\(ERR_DATASET_INVALID\)\nnote: crack: .*\n$/);
    rmSync(join(data, 'a'), { recursive: true });
    const none = join(folder, 'opened none');
    await expectFailure(campaign(small(data, none)), 'ERR_DATASET_INVALID', 'holds no defect type');
    expect(existsSync(none)).toBe(false);
  });
});

describe('an evaluation', () => {
  it('an evaluation goes on past a run that fails, keeps the others, and says how many failed', async () => {
    const [out, pairs] = [join(folder, 'evaluation'), join(folder, 'damaged pairs')];
    cpSync(caseFolder('tile'), pairs, { recursive: true });
    const damaged = join(pairs, 'test', 'crack', '000.png');
    writeFileSync(damaged, readFileSync(damaged).subarray(0, 90));
    const work = evaluate({
      ...{ data: caseFolder('tile'), out, pairs: { damaged: pairs }, withReal: false, compare: ['draem', 'none'] },
      ...{ seeds: 1, iterations: 2, resolution: 32, classifier: false, concurrency: 1 },
    });
    const said = '1 of 3 runs failed; the others are kept. unet on damaged seed 0: ';
    await expectFailure(work, 'ERR_DATASET_INVALID', said, '000.png');
    expect(filesOf(join(out, 'runs')).map((name) => name.replace(/-\w+\.json$/, ''))).toEqual([
      'draem-detector-seed0',
      'none-detector-seed0',
    ]);
  });
});
