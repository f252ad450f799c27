/** Work in two parts: what starts it, and what waits for it and takes its result. */
export interface TwoParts<Input, Started, Result> {
  start: (input: Input) => Promise<Started>;
  finish: (started: Started) => Promise<Result>;
  /** Ends a piece that was started and will not be finished. */
  abandon: (started: Promise<Started>) => Promise<void>;
  /** Whether the next piece is started before the one before it is finished. */
  ahead: boolean;
}

/**
 * Does the work for each input, in their order. What fails is told in its turn. A loop that is left early, or that an
 * error ends, abandons the piece that was started ahead.
 */
export async function* inTurn<Input, Started, Result>(
  inputs: readonly Input[],
  { start, finish, abandon, ahead }: TwoParts<Input, Started, Result>,
): AsyncGenerator<Result, void, undefined> {
  let next: Promise<Started> | undefined;
  try {
    for (const [index, input] of inputs.entries()) {
      const current = next ?? start(input);
      next = undefined;
      const started = await current;
      const following = inputs[index + 1];
      next = ahead && following !== undefined ? start(following) : undefined;
      next?.catch(() => {}); // told in its turn; before that nobody listens
      yield await finish(started);
    }
  } finally {
    if (next) await abandon(next);
  }
}
