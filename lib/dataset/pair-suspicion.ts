/** Tells which generated pairs a person should look at first, and why. */
import { GOOD_TYPE } from '../options/type-name.js';
import { pairAgreement } from './agreement.js';
import type { DefectShape } from './defect-shape.js';
import type { PairRecord } from './pair-record.js';

/**
 * The reasons to look at a pair, the most serious one first:
 *
 * - `empty`: its mask marks no pixel.
 * - `invisible`: its mask marks only background of the part, or its defects hardly change the photograph.
 * - `disagreeing`: its mask methods disagree, or a placed defect's mask does not cover what changed.
 * - `extreme`: its mask marks far more or far less of the image than the real masks do.
 */
export const SUSPICIONS = ['empty', 'invisible', 'disagreeing', 'extreme'] as const;
export type Suspicion = (typeof SUSPICIONS)[number];

/** A placed defect that changes no pixel by this share of the range is hard to see. */
const FAINT = 0.08;
/** Masks that overlap by less than this IoU disagree. */
const LOW_OVERLAP = 0.5;
/** A mask may be this many times as large as the largest real one, or smaller than the smallest one. */
const TOLERANCE = 2;

/** The range of the real defects' sizes, as shares of the image. */
export interface SizeRange {
  /** The size of the smallest single defect. */
  smallest: number;
  /** The size of all defects in the image that has most of them. */
  largest: number;
}

/**
 * Returns the range of sizes in real images. `images` holds the shapes of each image's defects, measured in images that
 * show as much of the scene as the pairs do. Returns undefined if there is no defect.
 */
export function sizeRangeOf(images: readonly (readonly DefectShape[])[]): SizeRange | undefined {
  const areas = images.map((defects) => defects.map(({ area }) => area)).filter(({ length }) => length > 0);
  if (areas.length === 0) return undefined;
  return {
    smallest: Math.min(...areas.flat()),
    largest: Math.max(...areas.map((own) => own.reduce((sum, area) => sum + area, 0))),
  };
}

/** The parts of a record that the reasons depend on. */
type JudgedRecord = Pick<PairRecord, 'type' | 'coverage' | 'empty' | 'touches' | 'agreement' | 'defects'>;

const isInvisible = ({ touches, defects = [] }: JudgedRecord) =>
  touches === false || (defects.length > 0 && defects.every(({ contrast }) => contrast < FAINT));

const isDisagreeing = (record: JudgedRecord) =>
  pairAgreement(record) < LOW_OVERLAP || (record.defects ?? []).some(({ fit }) => fit < LOW_OVERLAP);

const isExtreme = (coverage: number, { smallest, largest }: SizeRange) =>
  coverage < smallest / TOLERANCE || coverage > largest * TOLERANCE;

/**
 * Returns the reasons to look at a pair, the most serious one first. Without `real`, no size counts as extreme. Pairs
 * without a mask and pairs of the type `good` have nothing that can be judged.
 */
export function suspicionsOf(record: JudgedRecord, real?: SizeRange): Suspicion[] {
  const { type, coverage, empty } = record;
  if (type === GOOD_TYPE || coverage === undefined) return [];
  if (empty) return ['empty']; // All other reasons follow from this one.
  const found: Record<Exclude<Suspicion, 'empty'>, boolean> = {
    invisible: isInvisible(record),
    disagreeing: isDisagreeing(record),
    extreme: real !== undefined && isExtreme(coverage, real),
  };
  return SUSPICIONS.filter((reason) => reason !== 'empty' && found[reason]);
}

/** Returns the rank by which pairs are sorted, the lowest first: that of the most serious reason. */
export const suspicionRank = (reasons: readonly Suspicion[]): number =>
  reasons[0] === undefined ? SUSPICIONS.length : SUSPICIONS.indexOf(reasons[0]);
