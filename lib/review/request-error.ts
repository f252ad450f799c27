import { DualAnoDiffError } from '../core/errors.js';
import type { ReviewState } from './contract.js';

/** A request that the server refuses with a status of HTTP. */
export class RequestError extends DualAnoDiffError {
  constructor(
    readonly status: number,
    code: string,
    message: string,
    /** The state of the pair, if the request came too late. */
    readonly state?: ReviewState,
  ) {
    super(message, code);
  }
}

export const notFound = (what: string): RequestError => new RequestError(404, 'ERR_NOT_FOUND', `There is no ${what}`);

/** The page belongs to a review that was closed, or opened again. */
export const reviewEnded = (message: string): RequestError => new RequestError(410, 'ERR_REVIEW_ENDED', message);
