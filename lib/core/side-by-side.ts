/**
 * Does the work for each input, `count` at a time, and returns the results in the inputs' order. `lane`, from 0 on, tells
 * apart what goes on at the same time. The first failure, or the caller's signal, fires the signal that work gets, and
 * is thrown once all work has ended.
 */
export async function sideBySide<Input, Result>(
  inputs: readonly Input[],
  count: number,
  signal: AbortSignal | undefined,
  work: (input: Input, lane: number, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const stopped = new AbortController();
  const stop = () => stopped.abort(signal?.reason);
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop, { once: true });
  const results: Result[] = [];
  let failure: { error: unknown } | undefined;
  const next = inputs.entries(); // all lanes take from it
  const run = async (lane: number) => {
    try {
      for (const [index, input] of next) {
        if (failure) return;
        results[index] = await work(input, lane, stopped.signal);
      }
    } catch (error) {
      failure ??= { error };
      stopped.abort(error);
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, inputs.length) }, (_, lane) => run(lane)));
  signal?.removeEventListener('abort', stop);
  if (failure) throw failure.error;
  return results;
}
