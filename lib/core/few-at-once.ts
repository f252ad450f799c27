import pMap, { pMapSkip } from 'p-map';

/** The number of files that are decoded or copied at once. More full-size photographs would use too much memory. */
export const AT_ONCE = 4;

/**
 * Does the work for each input, a few at once, and returns the results in the order of the inputs. If several inputs
 * fail, the error of the first one is thrown, so that the same files always give the same error. It is thrown after all
 * work has ended, so that nothing is still written to a folder that is then removed.
 */
export async function fewAtOnce<Input, Result>(
  inputs: readonly Input[],
  work: (input: Input) => Promise<Result>,
): Promise<Result[]> {
  const failures: { index: number; error: unknown }[] = [];
  const results = await pMap(
    inputs,
    async (input, index) => {
      if (failures.length > 0) return pMapSkip; // Inputs start in their order, so an earlier one has failed.
      try {
        return await work(input);
      } catch (error) {
        failures.push({ index, error });
        return pMapSkip;
      }
    },
    { concurrency: AT_ONCE },
  );
  const [first] = failures.sort((a, b) => a.index - b.index);
  if (first) throw first.error;
  return results;
}
