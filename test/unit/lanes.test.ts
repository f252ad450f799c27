import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { inLanes } from '../../lib/evaluate/lanes.js';

describe('inLanes', () => {
  it('does one work at a time in each lane, and returns the results in the order of the inputs', async () => {
    const busy = new Set<number>();
    let [most, done] = [0, 0];
    let endOfOthers = () => {};
    const othersAreDone = new Promise<void>((end) => {
      endOfOthers = end;
    });
    const results = await inLanes([0, 1, 2, 3, 4], 2, undefined, async (input, lane) => {
      expect(busy.has(lane)).toBe(false);
      busy.add(lane);
      most = Math.max(most, busy.size);
      if (input === 0) await othersAreDone;
      else await new Promise(setImmediate);
      if (input > 0 && ++done === 4) endOfOthers();
      busy.delete(lane);
      return [input, lane];
    });
    expect(most).toBe(2);
    expect(results).toEqual([
      [0, 0], // the first one takes longer than all others
      ...[1, 2, 3, 4].map((input) => [input, 1]),
    ]);
  });

  it('uses no more lanes than there is work', async () => {
    expect(await inLanes([1], 4, undefined, async (_, lane) => lane)).toEqual([0]);
    expect(await inLanes([], 4, undefined, async () => 0)).toEqual([]);
  });

  it('fires the signal at the first failure, waits for all work to end, and throws that failure', async () => {
    const log: string[] = [];
    const work = async (input: number, _: number, signal: AbortSignal) => {
      log.push(`start ${input}`);
      if (input === 2) throw new Error('no 2');
      await wait(10_000, undefined, { signal }).catch(() => {});
      await wait(5);
      log.push(`end ${input}`);
      throw new Error('stopped');
    };
    await expect(inLanes([1, 2, 3, 4], 2, undefined, work)).rejects.toThrow('no 2');
    expect(log).toEqual(['start 1', 'start 2', 'end 1']);
  });

  it("passes the caller's signal on, also one that has fired already", async () => {
    const controller = new AbortController();
    const work = (_: number, lane: number, signal: AbortSignal) => {
      if (lane === 1) controller.abort(new Error('enough'));
      return wait(10_000, undefined, { signal });
    };
    await expect(inLanes([1, 2, 3], 2, controller.signal, work)).rejects.toMatchObject({
      cause: { message: 'enough' },
    });
    const reasons: unknown[] = [];
    await inLanes([1], 1, controller.signal, async (_, __, signal) => reasons.push(signal.reason));
    expect(reasons).toEqual([controller.signal.reason]);
  });
});
