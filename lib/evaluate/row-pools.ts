import { Pool } from '../pool.js';
import type { GeneratedSet, Row } from './rows.js';
import type { Split } from './split.js';
import { loadDefects } from './squares.js';

/** The training defects of a row. */
export interface RowDefects {
  pool: Pool;
  /** The number of generated pairs that were left out because their masks are empty. */
  emptyMasks: number;
}

const REAL_GROUP = 0;
const GENERATED_GROUP = 1;

/** Loads the defects of a row. Throws ERR_DATASET_INVALID with the file that cannot be used. */
async function load(
  real: boolean,
  generated: GeneratedSet | undefined,
  { training }: Split,
  size: number,
): Promise<RowDefects> {
  let emptyMasks = 0;
  const pool = await Pool.fill(size, async (into) => {
    for (const [index, [type, examples]] of [...training].entries()) {
      if (real) {
        for await (const squares of loadDefects(examples, size)) into.addDefects(squares, REAL_GROUP, index);
      }
      for await (const squares of loadDefects(generated?.types.get(type) ?? [], size)) {
        const marked = squares.filter(({ mask }) => mask.some((value) => value > 0));
        emptyMasks += squares.length - marked.length;
        into.addDefects(marked, GENERATED_GROUP, index);
      }
    }
  });
  return { pool, emptyMasks };
}

/** Holds the defects of rows. They are loaded for the first run that needs them and disposed of after the last one. */
export class RowPools {
  /** The loaded defects by row and generated set. `runs` counts the runs that still need them. */
  readonly #loaded = new Map<string, { defects: Promise<RowDefects>; runs: number }>();

  constructor(
    readonly split: Split,
    readonly size: number,
    /** The number of runs of each row. */
    readonly runs: number,
  ) {}

  /** Calls `run` with the defects of a row. `index` counts the seeds from 0 on and selects the generated set. */
  async lend<R>(
    { name, real, generated = [] }: Row,
    index: number,
    run: (defects: RowDefects) => Promise<R>,
  ): Promise<R> {
    const set = index % Math.max(1, generated.length);
    const key = `${name} ${set}`;
    const entry = this.#loaded.get(key) ?? {
      defects: load(real, generated[set], this.split, this.size),
      runs: generated.length > 1 ? 1 : this.runs,
    };
    this.#loaded.set(key, entry);
    try {
      return await run(await entry.defects);
    } finally {
      if (--entry.runs === 0) await this.#drop(key);
    }
  }

  /** Disposes of the defects of rows whose runs did not all finish. */
  async dispose(): Promise<void> {
    for (const key of [...this.#loaded.keys()]) await this.#drop(key);
  }

  async #drop(key: string): Promise<void> {
    // The run that loaded it reports the error.
    const loaded = await this.#loaded.get(key)?.defects.catch(() => undefined);
    this.#loaded.delete(key);
    loaded?.pool.dispose();
  }
}
