import { Pool } from '../pool.js';
import type { GeneratedSet, Row } from './rows.js';
import type { Split } from './split.js';
import { loadDefects } from './squares.js';

/** What runs of one row learn from. */
export interface RowDefects {
  pool: Pool;
  /** Generated pairs left out because their masks are empty: they show no defect. */
  emptyMasks: number;
}

const REAL_GROUP = 0;
const GENERATED_GROUP = 1;

/** Throws ERR_DATASET_INVALID naming the file that cannot be used. */
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

/** The defects of rows, loaded when the first run starts that learns from them, and disposed of after the last. */
export class RowPools {
  /** By row and generated set. */
  readonly #loaded = new Map<string, { defects: Promise<RowDefects>; runs: number }>();

  constructor(
    readonly split: Split,
    readonly size: number,
    /** Of each row. */
    readonly runs: number,
  ) {}

  /** Gives `run` the defects of a row's seed, of which `index` counts. */
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

  /** Of rows whose runs did not all come to their end. */
  async dispose(): Promise<void> {
    for (const key of [...this.#loaded.keys()]) await this.#drop(key);
  }

  async #drop(key: string): Promise<void> {
    const loaded = await this.#loaded.get(key)?.defects.catch(() => undefined); // told by those who waited for it
    this.#loaded.delete(key);
    loaded?.pool.dispose();
  }
}
