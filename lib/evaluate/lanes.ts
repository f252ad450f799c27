import pMap, { pMapSkip } from 'p-map';

/**
 * Does the work for each input in `count` parallel lanes and returns the results in the order of the inputs. The work
 * receives the number of its lane, from 0 on, which no other work uses at the same time. Its signal fires after the
 * first failure, or with the caller's signal. The failure is thrown after all work has ended.
 */
export async function inLanes<Input, Result>(
  inputs: readonly Input[],
  count: number,
  signal: AbortSignal | undefined,
  work: (input: Input, lane: number, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const failed = new AbortController();
  const stopped = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const free = Array.from({ length: count }, (_, index) => count - 1 - index);
  const results = await pMap(
    inputs,
    async (input) => {
      if (failed.signal.aborted) return pMapSkip;
      const lane = free.pop() as number; // p-map runs at most `count` calls at once, so a lane is always free.
      try {
        return await work(input, lane, stopped);
      } catch (error) {
        failed.abort(error);
        return pMapSkip;
      } finally {
        free.push(lane);
      }
    },
    { concurrency: count },
  );
  failed.signal.throwIfAborted();
  return results;
}
