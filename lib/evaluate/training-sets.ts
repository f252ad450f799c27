import { disposeOf, loadTrainingSet, type TrainingSet } from '../detect/training-set.js';
import { holdBack } from './held-back.js';
import type { PlannedRun } from './planned-runs.js';
import type { Protocol } from './protocol.js';
import { GOOD_ONLY } from './rows.js';
import type { Split } from './split.js';

/** Holds the training sets of runs. Each is loaded for the first run that needs it and freed after the last one. */
export class TrainingSets {
  readonly #loaded = new Map<string, Promise<TrainingSet>>();
  /** The number of runs that still need the set of a key. */
  readonly #runs = new Map<string, number>();

  constructor(
    runs: readonly PlannedRun[],
    readonly split: Pick<Split, 'trainingGood' | 'groups'>,
    readonly protocol: Protocol,
  ) {
    for (const { key } of runs) this.#runs.set(key, (this.#runs.get(key) ?? 0) + 1);
  }

  /** Calls `work` with the training set of a run. */
  async lend<R>(run: PlannedRun, work: (set: TrainingSet) => Promise<R>): Promise<R> {
    const { key } = run;
    const loading = this.#loaded.get(key) ?? this.#load(run);
    this.#loaded.set(key, loading);
    try {
      return await work(await loading);
    } finally {
      const left = (this.#runs.get(key) ?? 0) - 1;
      this.#runs.set(key, left);
      if (left === 0) await this.#drop(key);
    }
  }

  /** Frees the sets of runs that did not all finish. */
  async dispose(): Promise<void> {
    for (const key of [...this.#loaded.keys()]) await this.#drop(key);
  }

  #load({ row, training, generated }: PlannedRun): Promise<TrainingSet> {
    const defects = { real: row.real ? training : undefined, generated: generated?.types };
    const { trainingGood, groups } = this.split;
    const good = row === GOOD_ONLY ? holdBack(trainingGood, groups).learned : trainingGood;
    return loadTrainingSet([...training.keys()], defects, good, this.protocol);
  }

  async #drop(key: string): Promise<void> {
    // The run that loaded it reports the error.
    const set = await this.#loaded.get(key)?.catch(() => undefined);
    this.#loaded.delete(key);
    if (set) disposeOf(set);
  }
}
