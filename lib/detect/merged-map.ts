/** Merges the maps of overlapping tiles into one map of the photograph. */
export class MergedMap {
  readonly #sums: Float32Array;
  readonly #weights: Float32Array;
  /** The weight of a pixel in a tile, along one side: 1 in the middle, and near 0 at the border. */
  readonly #profile: Float32Array;

  constructor(
    readonly width: number,
    readonly height: number,
    /** The pixels along each side of a tile. */
    readonly tile: number,
  ) {
    this.#sums = new Float32Array(width * height);
    this.#weights = new Float32Array(width * height);
    this.#profile = Float32Array.from({ length: tile }, (_, i) => (2 * Math.min(i + 1, tile - i)) / (tile + 1));
  }

  /** Adds the map of a tile, row by row. Values beyond the border of the photograph are left out. */
  add(values: Float32Array, { left, top }: { left: number; top: number }): void {
    for (let y = Math.max(0, -top); y < Math.min(this.tile, this.height - top); y++) {
      const row = (top + y) * this.width + left;
      for (let x = Math.max(0, -left); x < Math.min(this.tile, this.width - left); x++) {
        const weight = (this.#profile[x] as number) * (this.#profile[y] as number);
        this.#sums[row + x] = (this.#sums[row + x] as number) + weight * (values[y * this.tile + x] as number);
        this.#weights[row + x] = (this.#weights[row + x] as number) + weight;
      }
    }
  }

  /** Returns the weighted mean of the maps at each pixel. Tiles must have covered the photograph. */
  values(): Float32Array {
    return this.#sums.map((sum, i) => sum / (this.#weights[i] as number));
  }
}
