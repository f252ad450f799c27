/** Runs jobs whose inputs and outputs are in the store. Workers and the service without Redis share it. */
import { basename, join, resolve } from 'node:path';
import { AbortedError, DualAnoDiffError, InvalidOptionError, ModelError } from '../core/errors.js';
import { createFolder } from '../core/files.js';
import { packageRoot } from '../core/paths.js';
import * as jobs from '../jobs/index.js';
import type { JobContext, PairEvent } from '../jobs/job.js';
import { loadOptions } from '../options/base.js';
import { type JobKind, jobOptions } from '../options/jobs.js';
import { checkRequest, jobIdPattern, parseReference, resolveReferences, resultFiles } from '../options/requests.js';
import type { AssignedJob, RunContext } from '../queue/job-queue.js';
import { pickGiven } from '../recipes/recipe.js';
import { jobPrefix, publishResult, readResult } from '../store/results.js';
import type { Store } from '../store/store.js';
import { BaseCache } from './base-cache.js';
import { type CampaignFacts, findCategories } from './campaign-facts.js';
import { basePath, fetchInput } from './inputs.js';
import { LocalPaths } from './local-paths.js';
import { Outputs } from './outputs.js';
import { removeFolder, WorkFolder } from './work-folder.js';

export interface RunnerSettings {
  store: Store;
  /** Each job gets a folder below this one until it ends. */
  workFolder: string;
  /** The folder of the bases that jobs may use by name. Without it, jobs use the embedded base. */
  bases?: string | undefined;
  /** New files are copied to the store at this interval, in milliseconds. */
  copyEveryMs: number;
}

const functions = {
  ...{ learn: jobs.learn, generate: jobs.generate, place: jobs.place, mask: jobs.mask, evaluate: jobs.evaluate },
  ...{ fit: jobs.fit, detect: jobs.detect, campaign: jobs.campaign },
  ...{ import: jobs.importData, check: jobs.check, export: jobs.exportDataset },
} as Record<JobKind, (options: never, context: JobContext) => Promise<object>>;

/** These jobs continue from the files of an earlier run. The others are short and start anew. */
const CONTINUED: readonly JobKind[] = ['learn', 'generate', 'place', 'evaluate', 'fit', 'campaign'];

/** Returns the options that the worker decides itself. */
function decided(kind: JobKind, folder: string): object {
  const name = kind === 'learn' || kind === 'fit' ? resultFiles[kind] : '';
  const names = jobOptions[kind];
  return { ...('out' in names && { out: join(folder, name) }), ...('resume' in names && { resume: true }) };
}

export class JobRunner implements AsyncDisposable {
  readonly #bases = new BaseCache();
  /** The paths of this machine that do not belong to one job. */
  readonly #paths: LocalPaths;

  private constructor(
    private readonly settings: RunnerSettings,
    private readonly work: WorkFolder,
  ) {
    const { bases, store } = settings;
    this.#paths = new LocalPaths([work.path, ...(bases ? [bases] : []), packageRoot], store.place);
  }

  static async open(settings: RunnerSettings): Promise<JobRunner> {
    const bases = settings.bases === undefined ? undefined : resolve(settings.bases);
    return new JobRunner({ ...settings, bases }, await WorkFolder.open(settings.workFolder));
  }

  /**
   * Runs a job and publishes its result. A job whose result is published already returns it. If the signal fires, the
   * job ends within a step, and its finished work is in the store before the promise rejects with ERR_ABORTED.
   *
   * The job may come from anybody who can write to the queue, so everything in it is checked. Throws ERR_INVALID_OPTION,
   * ERR_NOT_FOUND for missing inputs, the errors of the job, and those of the store. Messages hold no paths of this
   * machine.
   */
  run(job: AssignedJob, context: RunContext): Promise<object> {
    return this.withoutPaths(() => this.#run(job, context));
  }

  /** Removes the paths of this machine from the error of an operation. */
  async withoutPaths<T>(operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      throw this.#paths.inError(error);
    }
  }

  /** Frees the bases and removes the work folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bases[Symbol.asyncDispose]();
    await this.work[Symbol.asyncDispose]();
  }

  /**
   * Finds out what a campaign consists of. Loads its base, which the next job probably uses. Throws the errors of the
   * base, the data and the store.
   */
  async factsOf(job: AssignedJob): Promise<CampaignFacts> {
    const { store, bases } = this.settings;
    const { base, data, type, recipe } = job.options;
    const folder = await this.work.create(job.id);
    const paths = new LocalPaths([folder, ...(bases ? [bases] : []), packageRoot], store.place);
    try {
      const facts: CampaignFacts = { failures: [] };
      if (recipe !== 'augment') {
        const path = base === undefined ? undefined : basePath(base as string, bases);
        await using model = await this.#bases.load(path, pickGiven(job.options, loadOptions));
        facts.fingerprint = model.info.fingerprint;
      }
      if (type !== undefined) return facts;
      const path = await fetchInput(parseReference('data', data as string), job, { store, folder });
      return paths.in({ ...facts, ...(await findCategories(job, path, store)) });
    } catch (error) {
      throw paths.inError(error);
    } finally {
      await removeFolder(folder);
    }
  }

  async #run(job: AssignedJob, context: RunContext): Promise<object> {
    const { store, bases } = this.settings;
    if (!jobIdPattern.test(job.id))
      throw new InvalidOptionError(`Expected 32 hexadecimal digits but received ${job.id}`);
    const options = checkRequest(job.kind, job.options);
    const published = await readResult(store, job.id);
    if (published) return published.result;
    const folder = await this.work.create(job.id);
    const own = [join(folder, 'files'), join(folder, 'inputs'), folder];
    const paths = new LocalPaths([...own, ...(bases ? [bases] : []), packageRoot], store.place);
    try {
      const named = await resolveReferences(job.kind, options, (reference) =>
        fetchInput(reference, job, { store, folder: join(folder, 'inputs'), bases }),
      );
      return await this.#runIn(folder, { ...job, options: named }, context, paths);
    } catch (error) {
      await this.#bases.freeUnused();
      throw paths.inError(error);
    } finally {
      await removeFolder(folder);
    }
  }

  /** Returns a function that loads bases, but refuses those with another fingerprint. */
  #loadOnly(fingerprint: string | undefined): JobContext['load'] {
    if (fingerprint === undefined) return this.#bases.load;
    return async (base, options) => {
      const model = await this.#bases.load(base, options);
      if (model.info.fingerprint === fingerprint) return model;
      await model.dispose();
      throw new ModelError(
        `${base === undefined ? 'The embedded base' : `The base ${basename(base)}`} of this machine has other weights than the one with which the campaign began: give all workers the same files, and retry the campaign`,
        'ERR_MODEL_INVALID',
      );
    };
  }

  async #runIn(folder: string, job: AssignedJob, context: RunContext, paths: LocalPaths): Promise<object> {
    const { signal, onEvent, onWorkKept, isOwner, prepare } = context;
    const { store, copyEveryMs } = this.settings;
    let pairs: PairEvent[] = [];
    let newFiles: string[] = [];
    let hasNewWork = false;
    const outputs = new Outputs(store, job.id, join(folder, 'files'), (path, isNew) => {
      if (isNew) newFiles.push(path);
      hasNewWork = true; // A checkpoint may replace the one before it.
    });
    await createFolder(outputs.folder);
    const goesOn = !prepare && CONTINUED.includes(job.kind);
    if (prepare) await prepare(outputs.folder);
    else if (goesOn) await outputs.restore();
    const copy = async (isLast: boolean) => {
      if (isOwner && !(await isOwner())) throw new AbortedError(); // Another worker has taken the job over.
      const written = pairs.length;
      const files = await outputs.copy(isLast);
      if (goesOn && hasNewWork) onWorkKept?.();
      hasNewWork = false;
      const ready = pairs.slice(0, written); // The files of later pairs may not be copied yet.
      pairs = pairs.slice(written);
      for (const event of ready) onEvent(event);
      for (const path of withoutPairs(newFiles, ready)) onEvent({ event: 'file', path });
      newFiles = [];
      return files;
    };
    const timer = setInterval(() => copy(false).catch(() => {}), copyEveryMs); // The last copy throws what persists.
    try {
      const result = await functions[job.kind]({ ...job.options, ...decided(job.kind, outputs.folder) } as never, {
        signal,
        load: this.#loadOnly(context.fingerprint),
        onEvent: (event) => (event.event === 'pair' ? pairs.push(paths.in(event)) : onEvent(paths.in(event))),
      });
      const files = await copy(true);
      const relative = paths.in(result) as Record<string, unknown>;
      await publishResult(store, job.id, { kind: job.kind, result: relative, files });
      await store.clean(jobPrefix(job.id));
      return relative;
    } catch (error) {
      await copy(true).catch(() => {}); // The first error is the cause. The job continues from the last whole copy.
      if (signal.aborted && !(error instanceof DualAnoDiffError)) throw new AbortedError({ cause: error });
      throw error;
    } finally {
      clearInterval(timer);
      await outputs.close();
    }
  }
}

/** A pair's event tells of its files, so that these need no events of their own. */
function withoutPairs(files: readonly string[], pairs: readonly PairEvent[]): string[] {
  const told = new Set(pairs.flatMap(({ image, part, mask }) => [image, part, mask]));
  return files.filter((path) => !told.has(path));
}
