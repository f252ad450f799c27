import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TrainingError } from '../../lib/core/errors.js';
import { inLanes } from '../../lib/evaluate/lanes.js';
import { RunFailures } from '../../lib/evaluate/run-failures.js';

const inputs = [0, 1, 2, 3, 4];
/** Does all runs, two at a time. */
async function runAll(failures: RunFailures, log: number[], work: (input: number) => Promise<number> | number) {
  return inLanes(inputs, 2, undefined, (input, _, signal) =>
    failures.collect(`run ${input}`, signal, async () => {
      log.push(input);
      await wait(1);
      return work(input);
    }),
  );
}

describe('RunFailures', () => {
  it('lets the other runs come to their end, and throws the first failure with how many there were', async () => {
    const failures = new RunFailures(inputs.length);
    const log: number[] = [];
    const results = await runAll(failures, log, (input) => {
      if (input === 1) throw new TrainingError('the loss is NaN', 'ERR_NON_FINITE_LOSS');
      if (input === 3) throw new RangeError('no');
      return input;
    });
    expect(log).toEqual(inputs);
    expect(results).toEqual([0, undefined, 2, undefined, 4]);
    const throws = () => failures.requireAll(results);
    expect(throws).toThrow(TrainingError);
    expect(throws).toThrow('2 of 5 runs failed; the others are kept. run 1: the loss is NaN');
    expect(new RunFailures(2).requireAll([1, 2])).toEqual([1, 2]);
  });

  it('makes the error of the only run its own', async () => {
    const error = new RangeError('alone');
    const work = new RunFailures(1).collect('run', new AbortController().signal, () => Promise.reject(error));
    await expect(work).rejects.toBe(error);
  });

  it("stops all runs where the caller's callback throws, or the signal has fired", async () => {
    const failures = new RunFailures(inputs.length);
    const log: number[] = [];
    const all = runAll(failures, log, (input) => {
      failures.callback(() => {
        if (input === 0) throw new Error('enough');
      });
      return input;
    });
    await expect(all).rejects.toThrow('enough');
    expect(log.length).toBeLessThan(inputs.length);
    const error = new Error('torn');
    const aborted = new RunFailures(2).collect('run', AbortSignal.abort(), () => Promise.reject(error));
    await expect(aborted).rejects.toBe(error);
  });
});
