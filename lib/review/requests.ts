/** Declares what requests to a review hold. */
import { z } from 'zod';
import { integer, oneOf } from '../options/check.js';

export const imageKinds = ['image', 'part', 'mask', 'original-mask'] as const;
export const thumbnailKinds = ['image', 'outline', 'part', 'mask'] as const;
export const decisionSchema = z.strictObject({ decision: oneOf(['keep', 'drop']) });
export const undoSchema = z.strictObject({ undoable: integer(1) });
/** A page gives itself a name, which may be empty. */
export const reviewerPattern: RegExp = /^[\w-]{0,64}$/;
/** The place of a pair, photograph or defect in its list, or the number of an event. */
export const numberPattern: RegExp = /^\d{1,9}$/;
