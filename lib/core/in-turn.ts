/** Work in two steps. The first one starts it, and the second one waits for it and returns its result. */
export interface TwoStepWork<Input, Started, Result> {
  start: (input: Input) => Promise<Started>;
  finish: (started: Started) => Promise<Result>;
  /** Releases work that was started and will not be finished. */
  abandon: (started: Promise<Started>) => Promise<void>;
  /** If true, the work for the next input starts before the work for the current one is finished. */
  ahead: boolean;
}

/**
 * Does the work for each input and yields the results in the order of the inputs. An error is thrown at the turn of its
 * input. If the caller leaves the loop early, or an error ends it, the work that was started ahead is abandoned.
 */
export async function* inTurn<Input, Started, Result>(
  inputs: readonly Input[],
  { start, finish, abandon, ahead }: TwoStepWork<Input, Started, Result>,
): AsyncGenerator<Result, void, undefined> {
  let next: Promise<Started> | undefined;
  try {
    for (const [index, input] of inputs.entries()) {
      const current = next ?? start(input);
      next = undefined;
      const started = await current;
      const following = inputs[index + 1];
      next = ahead && following !== undefined ? start(following) : undefined;
      next?.catch(() => {}); // The error is thrown at its turn. Without a listener, Node would end the process first.
      yield await finish(started);
    }
  } finally {
    if (next) await abandon(next);
  }
}
