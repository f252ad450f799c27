/** Keeps the jobs of the queue in the process as files, so that a restarted service knows them. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { withFileErrors } from '../core/errors.js';
import { namesIn, writeFileAtomic } from '../core/files.js';
import { readJson } from '../core/json-files.js';
import { removePartialFiles } from '../core/partial-files.js';
import { jobKinds } from '../options/jobs.js';
import { jobIdPattern } from '../options/requests.js';
import { EventLog } from './event-log.js';
import { type Job, jobStates } from './job-queue.js';

const ENDING = '.json';
/** The queue is paused while this file exists. */
const PAUSED = 'paused';

const jobSchema = z.looseObject({
  id: z.string().regex(jobIdPattern),
  kind: z.enum(jobKinds),
  options: z.record(z.string(), z.unknown()),
  datasets: z.record(z.string(), z.string()),
  priority: z.number(),
  state: z.enum(jobStates),
  created: z.iso.datetime(),
  attempts: z.int().min(0),
  lostProcesses: z.int().min(0).optional(),
});

/** Each job has a file `ID.json` and a log `ID.events.jsonl`. */
export class JobFiles {
  #saved: Promise<void> = Promise.resolve();
  /** The numbers of processes that have died while they ran a job, since its newest work. */
  readonly #lost = new Map<string, number>();

  constructor(private readonly folder: string) {}

  /** Returns the jobs, the oldest first. Throws ERR_FILE_ACCESS with the file that cannot be used. */
  async read(): Promise<Job[]> {
    await removePartialFiles(this.folder, (name) => name.endsWith(ENDING) || name.endsWith('.jsonl'));
    const jobs: Job[] = [];
    for (const name of await namesIn(this.folder)) {
      if (!name.endsWith(ENDING)) continue;
      const { lostProcesses = 0, ...job } = await readJson(join(this.folder, name), jobSchema);
      const lost = lostProcesses + (job.state === 'running' ? 1 : 0); // A process that ends as it should hands it back.
      if (lost > 0) this.#lost.set(job.id, lost);
      jobs.push(job as Job);
    }
    return jobs.sort((a, b) => a.created.localeCompare(b.created) || a.id.localeCompare(b.id));
  }

  /** Writes a job as it is now. Writes happen in the order of the calls. */
  save(job: Job): Promise<void> {
    const text = `${JSON.stringify({ ...job, lostProcesses: this.#lost.get(job.id) })}\n`;
    const write = () => writeFileAtomic(join(this.folder, `${job.id}${ENDING}`), text);
    this.#saved = this.#saved.then(write, write);
    return this.#saved;
  }

  /** Returns how many processes have died while they ran a job, since its newest work. */
  lostProcesses(id: string): number {
    return this.#lost.get(id) ?? 0;
  }

  /** Sets how many processes have died while they ran a job. It counts from there on. */
  setLostProcesses(id: string, count: number): void {
    if (count === 0) this.#lost.delete(id);
    else this.#lost.set(id, count);
  }

  /** Removes the files of a job. */
  remove(id: string): Promise<void> {
    this.#lost.delete(id);
    const write = async () => {
      for (const file of [join(this.folder, `${id}${ENDING}`), this.#logFile(id)]) await remove(file);
    };
    this.#saved = this.#saved.then(write, write);
    return this.#saved;
  }

  isPaused(): boolean {
    return existsSync(join(this.folder, PAUSED));
  }

  async setPaused(isPaused: boolean): Promise<void> {
    const file = join(this.folder, PAUSED);
    await (isPaused ? writeFileAtomic(file, '') : remove(file));
  }

  createLog(id: string): EventLog {
    return EventLog.create(this.#logFile(id));
  }

  openLog(id: string): Promise<EventLog> {
    return EventLog.open(this.#logFile(id));
  }

  #logFile(id: string): string {
    return join(this.folder, `${id}.events.jsonl`);
  }
}

const remove = (file: string): Promise<void> => withFileErrors('remove', file, () => rm(file, { force: true }));
