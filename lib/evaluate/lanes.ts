import pMap, { pMapSkip } from 'p-map';

/**
 * Does the work for each input in `count` lanes and returns the results in the inputs' order. Work gets the number of its
 * lane, from 0 on, which no other work has at the same time. The first failure, or the caller's signal, fires the signal
 * that work gets. The failure is thrown once all work has ended.
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
      const lane = free.pop() as number; // there is one for each of the concurrent calls
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
