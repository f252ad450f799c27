/** Says how much of ended jobs both queues keep. Results stay in the store. */

/** Ended jobs and their events are kept for this number of seconds, 30 days. */
export const KEPT_SECONDS = 30 * 24 * 3600;
/** The queue in the process keeps at most this number of ended jobs, the newest ones, because all are in its memory. */
export const MAX_ENDED = 10_000;
/** About this number of events of a job is kept, the newest ones. */
export const MAX_EVENTS = 20_000;
