import { createHash } from 'node:crypto';
import type { NativePool } from './addon-types.js';
import { getEngine } from './native.js';
import { callNative } from './run-native.js';

/** A square image with its mask. */
export interface Square {
  /** RGB, one byte per channel. */
  pixels: Uint8Array;
  /** 0 and 255, one byte per pixel. In a good image, all are 0. */
  mask: Uint8Array;
}

/**
 * Images in the engine's memory that detectors learn from or that an augmenter uses. Each image of a defect has a group
 * and a type.
 */
export class Pool {
  readonly groups: number[] = [];
  readonly types: number[] = [];
  readonly #hash = createHash('sha256');
  #size = 0;

  private constructor(readonly handle: NativePool) {}

  static async create(resolution: number): Promise<Pool> {
    const engine = await getEngine();
    return new Pool(callNative(() => engine.createPool(resolution, resolution)));
  }

  /** Creates a pool and passes it to `fill`, which adds the images. If `fill` fails, the pool is freed. */
  static async fill(resolution: number, fill: (pool: Pool) => Promise<void>): Promise<Pool> {
    const pool = await Pool.create(resolution);
    try {
      await fill(pool);
      return pool;
    } catch (error) {
      pool.dispose();
      throw error;
    }
  }

  get size(): number {
    return this.#size;
  }

  /** A digest of every pixel, group and type in the pool. */
  get digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  addGood(squares: readonly Square[]): void {
    this.#append(squares, false);
  }

  addDefects(squares: readonly Square[], group: number, type: number): void {
    for (const _ of squares) {
      this.groups.push(group);
      this.types.push(type);
    }
    this.#hash.update(`${group}/${type}`);
    this.#append(squares, true);
  }

  dispose(): void {
    this.handle.dispose();
  }

  #append(squares: readonly Square[], withMasks: boolean): void {
    if (squares.length === 0) return;
    const images = Buffer.concat(squares.map(({ pixels }) => pixels));
    const masks = withMasks ? Buffer.concat(squares.map(({ mask }) => mask)) : undefined;
    this.#hash.update(images);
    if (masks) this.#hash.update(masks);
    callNative(() => this.handle.append(images, masks, squares.length));
    this.#size += squares.length;
  }
}
