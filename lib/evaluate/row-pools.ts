import { Pool } from '../pool.js';
import type { Row } from './rows.js';
import type { Split } from './split.js';
import { loadDefects } from './squares.js';

/** What one row learns from. */
export interface RowDefects {
  pool: Pool;
  /** Generated pairs left out because their masks are empty: they show no defect. */
  emptyMasks: number;
}

const REAL_GROUP = 0;
const GENERATED_GROUP = 1;

/** Throws ERR_DATASET_INVALID naming the file that cannot be used. */
async function loadRow(row: Row, { training }: Split, size: number): Promise<RowDefects> {
  const pool = await Pool.create(size);
  let emptyMasks = 0;
  for (const [index, [type, examples]] of [...training].entries()) {
    if (row.real) {
      for await (const squares of loadDefects(examples, size)) pool.addDefects(squares, REAL_GROUP, index);
    }
    for await (const squares of loadDefects(row.generated?.types.get(type) ?? [], size)) {
      const marked = squares.filter(({ mask }) => mask.some((value) => value > 0));
      emptyMasks += squares.length - marked.length;
      pool.addDefects(marked, GENERATED_GROUP, index);
    }
  }
  return { pool, emptyMasks };
}

/** The defects of rows, each loaded when its first run starts and disposed of after its last. */
export class RowPools {
  readonly #loaded = new Map<Row, { defects: Promise<RowDefects>; runs: number }>();

  constructor(
    readonly split: Split,
    readonly size: number,
    /** Of each row. */
    readonly runs: number,
  ) {}

  /** Gives `run` the defects of a row. */
  async lend<R>(row: Row, run: (defects: RowDefects) => Promise<R>): Promise<R> {
    const entry = this.#loaded.get(row) ?? { defects: loadRow(row, this.split, this.size), runs: this.runs };
    this.#loaded.set(row, entry);
    try {
      return await run(await entry.defects);
    } finally {
      if (--entry.runs === 0) await this.#drop(row);
    }
  }

  /** Of rows whose runs did not all come to their end. */
  async dispose(): Promise<void> {
    for (const row of [...this.#loaded.keys()]) await this.#drop(row);
  }

  async #drop(row: Row): Promise<void> {
    const loaded = await this.#loaded.get(row)?.defects.catch(() => undefined); // told by those who waited for it
    this.#loaded.delete(row);
    loaded?.pool.dispose();
  }
}
