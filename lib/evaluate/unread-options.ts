/** Refuses options of an evaluation that nothing in it reads, because they would have no effect. */
import type { z } from 'zod';
import { InvalidOptionError } from '../core/errors.js';
import type { DetectorKind } from '../detect/kinds.js';
import type { evaluatorSchema } from '../options/evaluation.js';
import { sourceOf } from './learner-options.js';
import { learnsFrom, type Row } from './rows.js';

/** Throws ERR_INVALID_OPTION if no detector reads `iterations`, `learningRate` or `textures`. */
export function refuseUnread(
  options: Pick<z.output<typeof evaluatorSchema>, 'iterations' | 'learningRate' | 'textures'>,
  kinds: readonly DetectorKind[],
  rows: readonly Row[],
): void {
  const chosen = kinds.map(({ name }) => name).join(', ');
  const unread = (['iterations', 'learningRate'] as const).find((name) => options[name] !== undefined);
  if (unread !== undefined && !kinds.some(({ isTrained }) => isTrained)) {
    throw new InvalidOptionError(`Expected a detector that is trained with ${unread} but received ${chosen}`);
  }
  const makesUp = (row: Row) => kinds.some((kind) => learnsFrom(kind, row) && sourceOf(row, kind) === 'draem');
  if (options.textures !== undefined && !rows.some(makesUp)) {
    throw new InvalidOptionError(
      `Expected the row or the detector draem with textures but received the detectors ${chosen}: name the row, as in --compare draem`,
    );
  }
}
