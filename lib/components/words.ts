/** Says in words what a pair is. */
import { placeOf, shareOf } from './measures.js';
import type { Box, Decision, ShownPair, Suspicion } from './pair.js';

export const DECISIONS: Record<Decision | 'none', string> = { keep: 'kept', drop: 'dropped', none: 'undecided' };

/** The most serious suspicion comes first. */
export const SUSPICIONS: Record<Suspicion, string> = {
  empty: 'empty mask',
  invisible: 'invisible change',
  disagreeing: 'disagreeing masks',
  extreme: 'extreme size',
};

export const decisionName = (decision: Decision | null): string => DECISIONS[decision ?? 'none'];

export const percent = (share: number): string => `${(100 * share).toFixed(share < 0.01 ? 2 : 1)} %`;

const boxText = ({ left, top, width, height }: Box) => `${width} × ${height} at ${left}, ${top}`;

/** A name and a value. */
export type Fact = readonly [name: string, value: string];

const known = (facts: readonly (readonly [string, string | undefined])[]): Fact[] =>
  facts.filter((fact): fact is Fact => fact[1] !== undefined);

function sizeText(pair: ShownPair): string {
  if (!pair.hasMask) return 'no mask';
  return pair.width > 0 ? `${percent(shareOf(pair))}, ${pair.area} pixels` : 'not measured';
}

/** Returns what was measured of a pair. */
export function figuresOf(pair: ShownPair): Fact[] {
  const { box, agreement, contrast, changeIou } = pair;
  return known([
    ['Problem', pair.problem],
    ['Size', sizeText(pair)],
    ['Place', box ? `${placeOf(pair)}, ${boxText(box)}` : undefined],
    ['Agreement of masks', agreement?.toFixed(2)],
    ['Contrast', contrast === undefined ? undefined : percent(contrast)],
    ['IoU of mask and change', changeIou?.toFixed(2)],
  ]);
}

/** Returns all that is known about a pair. */
export function factsOf(pair: ShownPair): Fact[] {
  return known([
    ['Suspicion', pair.suspicions.map((suspicion) => SUSPICIONS[suspicion]).join(', ') || undefined],
    ...figuresOf(pair),
    ['Recipe', pair.recipe],
    ['Seed', pair.seed.toString()],
    ['Image', pair.width > 0 ? `${pair.width} × ${pair.height}` : undefined],
    ['Photograph', pair.photograph],
  ]);
}
