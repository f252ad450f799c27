/** Says in words what a pair is. */
import type { Decision, ReviewBox, ReviewList, ReviewPair, Suspicion } from '../contract.js';
import { placeOf, shareOf } from './measures.js';

export const DECISIONS: Record<Decision | 'none', string> = { keep: 'kept', drop: 'dropped', none: 'undecided' };

export const SUSPICIONS: Record<Suspicion, string> = {
  empty: 'empty mask',
  invisible: 'invisible change',
  disagreeing: 'disagreeing masks',
  extreme: 'extreme size',
};

/** Returns the name of a pair, with its folder if there are several. */
export function nameOf({ index, folder }: ReviewPair, { folders }: ReviewList): string {
  const where = folders.length > 1 ? ` of ${folders[folder] || 'the folder itself'}` : '';
  return `Pair ${index}${where}`;
}

export const decisionName = (decision: Decision | null): string => DECISIONS[decision ?? 'none'];

export const percent = (share: number): string => `${(100 * share).toFixed(share < 0.01 ? 2 : 1)} %`;

/** Describes a pair in one line, for the label of its cell. */
export function labelOf(pair: ReviewPair, list: ReviewList, decision: Decision | null): string {
  const words = [
    nameOf(pair, list),
    pair.type,
    decisionName(decision),
    ...pair.suspicions.map((suspicion) => SUSPICIONS[suspicion]),
    ...(pair.isCorrected ? ['corrected mask'] : []),
    ...(pair.hasMask ? [`${percent(shareOf(pair))} of the image`] : ['no mask']),
    ...(pair.problem === undefined ? [] : [pair.problem]),
  ];
  return words.join(', ');
}

const boxText = ({ left, top, width, height }: ReviewBox) => `${width} × ${height} at ${left}, ${top}`;

/** Returns what is known about a pair, as names and values. */
export function factsOf(pair: ReviewPair, list: ReviewList): [name: string, value: string][] {
  const { box, agreement, contrast, changeIou, defectId, suspicions } = pair;
  const defect = defectId === undefined ? undefined : list.defects[defectId];
  const facts: [string, string | undefined][] = [
    ['Problem', pair.problem],
    ['Suspicion', suspicions.map((suspicion) => SUSPICIONS[suspicion]).join(', ') || undefined],
    ['Size', pair.hasMask ? `${percent(shareOf(pair))}, ${pair.area} pixels` : 'no mask'],
    ['Place', box ? `${placeOf(pair)}, ${boxText(box)}` : undefined],
    ['Agreement of masks', agreement?.toFixed(2)],
    ['Contrast', contrast === undefined ? undefined : percent(contrast)],
    ['IoU of mask and change', changeIou?.toFixed(2)],
    ['Recipe', pair.recipe],
    ['Seed', pair.seed?.toString()],
    ['Image', `${pair.width} × ${pair.height}`],
    ['Photograph', pair.photograph],
    ['Nearest real defect', defect && `${defect.name}, ${percent(defect.area / (defect.width * defect.height))}`],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== undefined);
}
