import { describe, expect, it } from 'vitest';
import { inTurn } from '../../lib/core/in-turn.js';

/** Records in order what happens to three inputs. `failing` fails to start, and the loop ends behind `last`. */
async function happens(ahead: boolean, { failing = -1, last = 3, how = 'break' } = {}): Promise<string[]> {
  const log: string[] = [];
  const work = {
    ahead,
    start: async (input: number) => {
      log.push(`start ${input}`);
      if (input === failing) throw new Error(`no ${input}`);
      return input;
    },
    finish: async (input: number) => {
      log.push(`finish ${input}`);
      return input;
    },
    abandon: async (started: Promise<number>) => {
      log.push(`abandon ${await started.catch(({ message }: Error) => message)}`);
    },
  };
  try {
    for await (const result of inTurn([1, 2, 3], work)) {
      log.push(`got ${result}`);
      if (result === last && how === 'throw') throw new Error('thrown');
      if (result === last) break;
    }
  } catch (error) {
    log.push((error as Error).message);
  }
  return log;
}

describe('inTurn', () => {
  it('starts a piece when the one before it is done with', async () => {
    expect(await happens(false)).toEqual([1, 2, 3].flatMap((i) => [`start ${i}`, `finish ${i}`, `got ${i}`]));
  });

  it('starts the next one before it finishes one, where that is asked for', async () => {
    const order = ['start 1', 'start 2', 'finish 1', 'got 1', 'start 3', 'finish 2', 'got 2', 'finish 3', 'got 3'];
    expect(await happens(true)).toEqual(order);
  });

  it('tells a failure in its turn, after the results before it', async () => {
    expect(await happens(true, { failing: 2 })).toEqual(['start 1', 'start 2', 'finish 1', 'got 1', 'no 2']);
  });

  it('abandons what was started ahead when the loop is left, however that happens', async () => {
    const begun = ['start 1', 'start 2', 'finish 1', 'got 1'];
    expect(await happens(true, { last: 1 })).toEqual([...begun, 'abandon 2']);
    expect(await happens(true, { last: 1, how: 'throw' })).toEqual([...begun, 'abandon 2', 'thrown']);
    expect(await happens(true, { last: 1, failing: 2 })).toEqual([...begun, 'abandon no 2']);
    expect(await happens(false, { last: 1 })).toEqual(['start 1', 'finish 1', 'got 1']);
  });
});
