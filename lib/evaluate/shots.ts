/** Draws the few real photographs that train where an evaluation measures what their number is worth. */
import type { Example } from '../dataset/example-file.js';
import type { ImageSource } from '../dataset/image-source.js';
import { fractionOf } from '../detect/random.js';

/**
 * Draws `count` examples of each type, or all of them if there are fewer. More examples of the same seed contain the
 * fewer ones. Examples of other parts come before a second photograph of one part.
 */
export function drawShots(
  training: ReadonlyMap<string, readonly Example[]>,
  groups: ReadonlyMap<ImageSource, number>,
  count: number,
  seed: number,
): Map<string, Example[]> {
  const drawn = new Map<string, Example[]>();
  for (const [type, examples] of training) {
    const order = new Map(examples.map((example) => [example, fractionOf(`${seed} ${type} ${example.name}`)]));
    const shuffled = [...examples].sort((a, b) => (order.get(a) as number) - (order.get(b) as number));
    const seen = new Set<number | undefined>();
    const [first, more]: [Example[], Example[]] = [[], []];
    for (const example of shuffled) {
      const group = groups.get(example.image);
      (seen.has(group) ? more : first).push(example);
      seen.add(group);
    }
    drawn.set(type, [...first, ...more].slice(0, count));
  }
  return drawn;
}
