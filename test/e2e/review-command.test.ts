import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { cli, main } from '../helpers/cli.js';
import { asJson, copiesOfPairs, listFile, send } from '../helpers/reviewing.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const fresh = copiesOfPairs(folder, 3);

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A review in a process of its own, once it prints its address. */
async function start(pairs: string, ...args: string[]) {
  const child = spawn(process.execPath, [main, 'review', pairs, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let [out, errors] = ['', ''];
  child.stdout.on('data', (data) => {
    out += data;
  });
  const address = await new Promise<string>((resolve, reject) => {
    child.on('close', () => reject(new Error(`it ended: ${errors}`)));
    child.stderr.on('data', (data) => {
      errors += data;
      const [found] = /http:\S+/.exec(errors) ?? [];
      if (found) resolve(found);
    });
  });
  const { origin, port, searchParams } = new URL(address);
  const cookie = `review-${port}=${searchParams.get('token')}`;
  const decide = (id: number, decision: string) => {
    const sent = asJson('PUT', { decision });
    return send(`${origin}/api/pairs/${id}/decision`, { ...sent, headers: { ...sent.headers, cookie } });
  };
  const end = async (signal: NodeJS.Signals) => {
    const closed = once(child, 'close');
    child.kill(signal);
    const [code] = await closed;
    return { code, out };
  };
  return { port: Number(port), decide, end };
}

describe('dualanodiff review', () => {
  it('goes on where it was killed, and ends with Ctrl-C', async () => {
    const pairs = fresh();
    const killed = await start(pairs);
    expect((await killed.decide(1, 'drop')).status).toBe(200);
    await killed.end('SIGKILL');
    const again = await start(pairs, '--json');
    expect((await again.decide(0, 'keep')).status).toBe(200);
    const { code, out } = await again.end('SIGINT');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ dir: pairs, pairs: 3, kept: 1, dropped: 1, undecided: 1, corrected: 0 });
    expect(readFileSync(listFile(pairs), 'utf8').trim().split('\n')).toHaveLength(2);
  });

  it('says who has the folder, and that a port is in use', async () => {
    const pairs = fresh();
    const { port } = await start(pairs);
    const second = await cli(['review', pairs, '--json']);
    expect([second.code, JSON.parse(second.stdout)]).toMatchObject([1, { error: { code: 'ERR_BUSY' } }]);
    const other = await cli(['review', fresh(), '--port', String(port), '--json']);
    expect(JSON.parse(other.stdout).error.message).toContain(`Port ${port} of 127.0.0.1 is in use`);
    expect((await cli(['review', pairs, '--port', '70000'])).code).toBe(2);
  });

  it('tells the commands that read the pairs what to leave out', async () => {
    const pairs = fresh();
    const { decide, end } = await start(pairs);
    await decide(1, 'drop');
    await end('SIGTERM');
    const exported = await cli([
      'export',
      '--data',
      pairs,
      '--format',
      'coco',
      '--out',
      join(folder, 'coco'),
      '--json',
    ]);
    expect(JSON.parse(exported.stdout)).toMatchObject({ images: 2 });
    expect(exported.stderr).toContain(`Review of ${pairs}: dropped pairs, which are left out: 1.`);
  });
});
