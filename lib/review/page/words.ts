/** Says in words what a pair of the list is. */
import { shareOf } from '../../components/measures.js';
import type { Decision } from '../../components/pair.js';
import { decisionName, type Fact, factsOf, percent, SUSPICIONS } from '../../components/words.js';
import type { ReviewList, ReviewPair } from '../contract.js';

/** Returns the name of a pair, with its folder if there are several. */
export function nameOf({ index, folder }: ReviewPair, { folders }: ReviewList): string {
  const where = folders.length > 1 ? ` of ${folders[folder] || 'the folder itself'}` : '';
  return `Pair ${index}${where}`;
}

/** Describes a pair in one line, for the label of its cell. */
export function labelOf(pair: ReviewPair, list: ReviewList, decision: Decision | null): string {
  const words = [
    nameOf(pair, list),
    pair.type,
    decisionName(decision),
    ...pair.suspicions.map((suspicion) => SUSPICIONS[suspicion]),
    ...(pair.isCorrected ? ['corrected mask'] : []),
    ...(pair.hasMask ? [] : ['no mask']),
    ...(pair.hasMask && pair.width > 0 ? [`${percent(shareOf(pair))} of the image`] : []),
    ...(pair.problem === undefined ? [] : [pair.problem]),
  ];
  return words.join(', ');
}

/** Returns what is known about a pair, with the nearest real defect. */
export function factsIn({ defects }: ReviewList, pair: ReviewPair): Fact[] {
  const defect = pair.defectId === undefined ? undefined : defects[pair.defectId];
  const { name, area, width, height } = defect ?? {};
  if (name === undefined) return factsOf(pair);
  return [
    ...factsOf(pair),
    ['Nearest real defect', `${name}, ${percent((area as number) / ((width as number) * (height as number)))}`],
  ];
}
