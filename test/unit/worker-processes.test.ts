/** Workers beside the service, played by small programs: they are started again if they die, and told to end once. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WorkerProcesses } from '../../lib/service/worker-processes.js';
import { scratchFolder } from '../helpers/scratch.js';

const scratch = scratchFolder();

/** Starts programs in place of workers. Returns them with their lines so far. */
function start(program: string, count = 1): { workers: WorkerProcesses; notes: [number, string][] } {
  const notes: [number, string][] = [];
  const workers = new WorkerProcesses({
    ...{ count, redis: 'redis://:secret@127.0.0.1:1', flags: ['--store', scratch] },
    onNote: (worker, message) => notes.push([worker, message]),
    command: [process.execPath, '-e', program, '--'],
  });
  return { workers, notes };
}
const waitFor = (isThere: () => boolean) => expect.poll(isThere, { timeout: 30_000 }).toBe(true);

describe('workers beside the service', () => {
  it('get the flags, and the address of Redis in the environment', async () => {
    const program =
      'console.log(process.argv.slice(1).join(), process.env.DUALANODIFF_REDIS, process.env.DUALANODIFF_TOKEN)';
    process.env.DUALANODIFF_TOKEN = 'a-token-that-is-long-enough';
    const { workers, notes } = start(`${program}; setInterval(() => {}, 1000)`, 2);
    delete process.env.DUALANODIFF_TOKEN;
    await waitFor(() => notes.length === 2);
    const line = `--store,${scratch} redis://:secret@127.0.0.1:1 undefined`;
    expect(notes.sort()).toEqual([
      [1, line],
      [2, line],
    ]);
    await workers.stop();
  });

  it('are started again when they die', async () => {
    const { workers, notes } = start('process.kill(process.pid, "SIGKILL")');
    const ends = () => notes.filter(([, text]) => text.startsWith('the worker has ended (SIGKILL)'));
    await waitFor(() => ends().length === 2);
    expect(ends().map(([, text]) => text.replace(/.* again in/, ''))).toEqual([' 1 s', ' 2 s']);
    await workers.stop();
    expect(ends()).toHaveLength(2);
  });

  it('are told to end, and are waited for', async () => {
    const file = join(scratch, 'ended');
    const program = `
      process.on('SIGTERM', () => setTimeout(() => { fs.writeFileSync(${JSON.stringify(file)}, 'checkpoint'); process.exit(); }, 300));
      console.log('ready');
      setInterval(() => {}, 1000);`;
    const { workers, notes } = start(program);
    await waitFor(() => notes.length === 1);
    expect(existsSync(file)).toBe(false);
    await workers.stop();
    expect(readFileSync(file, 'utf8')).toBe('checkpoint');
    expect(notes).toEqual([[1, 'ready']]); // It is not started again.
  });

  it('that cannot be started are named with the reason', async () => {
    const notes: string[] = [];
    const settings = { count: 1, redis: '', flags: [], onNote: (_: number, message: string) => notes.push(message) };
    const workers = new WorkerProcesses({ ...settings, command: [join(scratch, 'no-such-program')] });
    await waitFor(() => notes.length === 1);
    await workers.stop();
    expect(notes[0]).toContain('ENOENT');
  });
});
