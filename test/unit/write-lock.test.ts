import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isRunning, self } from '../../lib/core/process-identity.js';
import { lockFile, lockFolder } from '../../lib/core/write-lock.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const claims = (place: string) => readdirSync(place).filter((name) => name.startsWith('.lock-'));
/** A folder with a claim that some other process left. */
function claimed(name: string, content: object | string): string {
  const place = join(folder, name);
  mkdirSync(place);
  writeFileSync(
    join(place, '.lock-4711-0123abcd'),
    typeof content === 'string' ? content : JSON.stringify({ since: '2026-01-02T03:04:05.000Z', ...content }),
  );
  return place;
}
/** The number and start of a process that has ended, but is not waited for. */
async function withZombie(test: (pid: number) => Promise<void>): Promise<void> {
  // The shell's child ends when the shell has been replaced by `sleep`, which never asks for it.
  const shell = spawn('sh', ['-c', 'sleep 0.5 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const pid = Number(await new Promise((done) => shell.stdout.once('data', (data) => done(String(data)))));
    while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) await new Promise((done) => setTimeout(done, 5));
    await test(pid);
  } finally {
    shell.kill('SIGKILL');
  }
}

describe('lockFolder', () => {
  it('has one holder at a time, in one process, too, and leaves nothing', async () => {
    const place = join(folder, 'one');
    const first = await lockFolder(place);
    await expect(lockFolder(place)).rejects.toMatchObject({
      code: 'ERR_BUSY',
      message: expect.stringMatching(
        new RegExp(`${place} is in use by this process, process ${process.pid} on .+ since 20`),
      ),
    });
    await first.release();
    await first.release();
    expect(existsSync(place)).toBe(false);
    await (await lockFolder(place)).release();
  });

  it('takes away the folders that it has made, if nothing was written to them', async () => {
    const outer = join(folder, 'outer');
    const lock = await lockFolder(join(outer, 'a', 'b'));
    writeFileSync(join(outer, 'file'), '');
    await lock.release();
    expect(readdirSync(outer)).toEqual(['file']);
    await (await lockFile(join(outer, 'c', 'a.safetensors'))).release();
    expect(readdirSync(outer)).toEqual(['file']);
  });

  it('names the folder that it cannot write to', async () => {
    writeFileSync(join(folder, 'in the way'), '');
    await expect(lockFolder(join(folder, 'in the way', 'x'))).rejects.toMatchObject({ code: 'ERR_FILE_ACCESS' });
    await expect(lockFolder('/proc/self')).rejects.toThrow(/^Cannot write to \/proc\/self: /);
  });

  it('does not wait for a folder that the system refuses to make', async () => {
    await expect(lockFolder('/proc/none/inside')).rejects.toThrow('Cannot create /proc/none/inside');
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link'));
    await expect(lockFolder(join(folder, 'link', 'inside'))).rejects.toMatchObject({ code: 'ERR_FILE_ACCESS' });
    expect(existsSync(join(folder, 'nowhere'))).toBe(false);
  });

  it('lets one of many in that come at once', async () => {
    const place = join(folder, 'many');
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(place)));
    const held = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(held.length).toBe(1);
    expect(claims(place)).toHaveLength(1);
    await held[0]?.release();
  });

  it.each([
    ['dead', { pid: 2 ** 22 + 1 }],
    ['of a number that another process has now', { pid: process.ppid, started: '1' }],
    ['of an earlier start of the machine', { pid: process.pid, boot: 'another' }],
  ])('takes over from a process that is %s', async (what, more) => {
    const place = claimed(what, { ...self(), ...more });
    await (await lockFolder(place)).release();
    expect(claims(place)).toEqual([]);
  });

  it('takes over from a process that has ended and is not waited for', async () => {
    await withZombie(async (pid) => {
      const started = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
      expect(isRunning({ ...self(), pid, started })).toBe(false);
    });
  });

  it.each([
    ['on another machine', { host: 'elsewhere' }, /may be in use by process \d+ on elsewhere since 2026-01-02T/],
    ['in another container', { pidNamespace: 'pid:[1]' }, /may be in use by process/],
    ['that nobody can read', '{"pid":', /may be in use by whoever wrote .*\.lock-4711-0123abcd/],
  ])('names the file to remove for a claim %s', async (what, content, message) => {
    const place = claimed(what, typeof content === 'string' ? content : { ...self(), ...content });
    const error = await lockFolder(place).catch((cause) => cause);
    expect(error).toMatchObject({ code: 'ERR_BUSY', message: expect.stringMatching(message) });
    expect(error.message).toContain(`remove ${join(place, '.lock-4711-0123abcd')}`);
    expect(claims(place)).toEqual(['.lock-4711-0123abcd']);
  });

  it('says that a process of this machine has it', async () => {
    const started = readFileSync(`/proc/${process.ppid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
    const place = claimed('parent', { ...self(), pid: process.ppid, started });
    await expect(lockFolder(place)).rejects.toThrow(`is in use by process ${process.ppid} on ${self().host} since`);
  });

  it('goes with the process, however that ends', async () => {
    const place = join(folder, 'gone');
    const lib = join(import.meta.dirname, '../../dist/core/write-lock.js');
    const script = `const { lockFolder } = await import(${JSON.stringify(lib)}); await lockFolder(${JSON.stringify(place)});`;
    const run = (end: string) =>
      new Promise((done) =>
        spawn(process.execPath, ['--input-type=module', '-e', `${script} ${end}`]).on('close', done),
      );
    expect(await run('process.exit(3)')).toBe(3);
    expect(readdirSync(place)).toEqual([]);
    await run("process.kill(process.pid, 'SIGKILL')");
    expect(claims(place)).toHaveLength(1);
    const lock = await lockFolder(place);
    expect(claims(place)).toHaveLength(1);
    await lock.release();
    expect(claims(place)).toEqual([]);
  });
});

describe('lockFile', () => {
  it("is no concern of the file's neighbours", async () => {
    await using first = await lockFile(join(folder, 'a.safetensors'));
    await using second = await lockFile(join(folder, 'a.safetensors.jsonl'));
    await using third = await lockFolder(folder);
    expect(new Set([first.place, second.place, third.place]).size).toBe(3);
    await expect(lockFile(join(folder, 'a.safetensors'))).rejects.toMatchObject({ code: 'ERR_BUSY' });
  });
});
