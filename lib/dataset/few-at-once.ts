import pMap, { pMapSkip } from 'p-map';

/** Images that are decoded at once: photographs of full size must not pile up. */
export const DECODED_AT_ONCE = 4;

/**
 * Does the work for each input, few at once, and returns the results in the inputs' order. Of several failures the first
 * input's is thrown, so that the same files give the same error.
 */
export async function fewAtOnce<Input, Result>(
  inputs: readonly Input[],
  work: (input: Input) => Promise<Result>,
): Promise<Result[]> {
  const failures: { index: number; error: unknown }[] = [];
  const results = await pMap(
    inputs,
    async (input, index) => {
      if (failures.length > 0) return pMapSkip; // inputs are taken in their order: an earlier one has failed
      try {
        return await work(input);
      } catch (error) {
        failures.push({ index, error });
        return pMapSkip;
      }
    },
    { concurrency: DECODED_AT_ONCE },
  );
  const [first] = failures.sort((a, b) => a.index - b.index);
  if (first) throw first.error;
  return results;
}
