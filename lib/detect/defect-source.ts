/** Tells which defects a detector learns from. */
import { InvalidOptionError } from '../core/errors.js';
import type { DefectSource } from '../options/names.js';
import type { DetectorKind } from './kinds.js';

/** Tells whether a detector learns from images of defects. Otherwise it learns from good images alone. */
export const takesDefects = (source: DefectSource): boolean => source === 'pairs' || source === 'crop-paste';

/**
 * Returns the source of the defects that a detector learns from. `hasPairs` tells whether generated pairs were given.
 * Throws ERR_INVALID_OPTION if the detector cannot learn from the source, or would learn from no pair.
 */
export function defectSourceOf(kind: DetectorKind, chosen: DefectSource | undefined, hasPairs: boolean): DefectSource {
  const { name, learnsFrom, madeUp } = kind;
  const needsNone = chosen === undefined ? learnsFrom === 'good' || !hasPairs : chosen === 'none';
  const source = learnsFrom !== 'defects' && needsNone ? madeUp : (chosen ?? 'pairs');
  if ((learnsFrom === 'good' && source !== madeUp) || (learnsFrom === 'defects' && source === 'none')) {
    const expected = learnsFrom === 'good' ? 'none' : 'pairs, crop-paste or draem';
    throw new InvalidOptionError(`Expected ${expected} for defects of the detector ${name} but received ${source}`);
  }
  if (!hasPairs || takesDefects(source)) return source;
  throw new InvalidOptionError(
    learnsFrom === 'good'
      ? `Expected no generated pairs for ${name}, which learns from good images alone`
      : `Expected pairs or crop-paste for defects of ${name} with generated pairs but received ${chosen}`,
  );
}
