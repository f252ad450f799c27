import { InvalidOptionError } from '../core/errors.js';
import type { Job, JobFilter, JobPage } from './job-queue.js';

/** Returns a page of jobs, the newest of which is the last. Throws ERR_INVALID_OPTION for an unknown `after`. */
export function pageOf(all: Iterable<Job>, { state, kind, limit, after }: JobFilter): JobPage {
  const newest = [...all].reverse();
  const start = after === undefined ? 0 : newest.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && start === 0) {
    throw new InvalidOptionError(`Expected the identifier of a job for after but received ${JSON.stringify(after)}`);
  }
  const wanted = newest
    .slice(start)
    .filter((job) => (state ?? job.state) === job.state && (kind ?? job.kind) === job.kind);
  const jobs = wanted.slice(0, limit).map((job) => ({ ...job }));
  const last = jobs.at(-1);
  return { jobs, ...(last && wanted.length > limit && { next: last.id }) };
}
