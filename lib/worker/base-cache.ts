/** Keeps a base loaded between jobs, because loading Stable Diffusion takes longer than a small job. */
import { embedded } from '../core/paths.js';
import { type LoadOptions, loadBaseModel } from '../model/base-model.js';
import { DualAnoDiff } from '../model/dualanodiff.js';

/** A base that stays loaded when a job disposes of it. */
class KeptBase extends DualAnoDiff {
  users = 0;

  static async read(base: string, options: LoadOptions): Promise<KeptBase> {
    return new KeptBase(await loadBaseModel(base, options));
  }

  override async dispose(): Promise<void> {
    this.users--;
  }

  free(): Promise<void> {
    return super.dispose();
  }
}

/** Lends bases to jobs. Only the bases of running jobs and the last one stay in memory. */
export class BaseCache implements AsyncDisposable {
  readonly #kept = new Map<string, Promise<KeptBase>>();

  /** Does what `DualAnoDiff.load` does. The bases on disk must not change while the process runs. */
  readonly load = async (base: string = embedded.base, options: LoadOptions = {}): Promise<DualAnoDiff> => {
    const { signal: _, ...settings } = options; // Several jobs may wait for one base, so that none may end its loading.
    const key = JSON.stringify([base, settings]);
    await this.#freeUnused(key);
    const loading = this.#kept.get(key) ?? KeptBase.read(base, settings);
    this.#kept.set(key, loading);
    try {
      const model = await loading;
      model.users++;
      return model;
    } catch (error) {
      this.#kept.delete(key);
      throw error;
    }
  };

  /** Frees the bases that no job uses, except the one with this key. A failed job may leave its base without memory. */
  async #freeUnused(key?: string): Promise<void> {
    for (const [one, loading] of this.#kept) {
      if (one === key) continue;
      const model = await loading.catch(() => undefined);
      if (model && model.users > 0) continue;
      this.#kept.delete(one);
      await model?.free();
    }
  }

  /** Frees the bases that no job uses. */
  freeUnused(): Promise<void> {
    return this.#freeUnused();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#freeUnused();
  }
}
