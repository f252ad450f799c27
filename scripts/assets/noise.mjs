// Fields of noise: Float32Array of size x size, values about [-1, 1].

/** Value noise: random values on a lattice of cell width (cellX, cellY) pixels, smoothly interpolated. */
export function valueNoise(random, size, cellX, cellY) {
  const columns = Math.ceil(size / cellX) + 2;
  const rows = Math.ceil(size / cellY) + 2;
  const lattice = Float32Array.from({ length: columns * rows }, () => random.range(-1, 1));
  const offsetX = random.next();
  const offsetY = random.next();
  const smooth = (t) => t * t * (3 - 2 * t);
  const field = new Float32Array(size * size);
  for (let y = 0; y < size; y++) {
    const gy = y / cellY + offsetY;
    const row = Math.floor(gy);
    const ty = smooth(gy - row);
    for (let x = 0; x < size; x++) {
      const gx = x / cellX + offsetX;
      const column = Math.floor(gx);
      const tx = smooth(gx - column);
      const at = row * columns + column;
      const top = lattice[at] * (1 - tx) + lattice[at + 1] * tx;
      const bottom = lattice[at + columns] * (1 - tx) + lattice[at + columns + 1] * tx;
      field[y * size + x] = top * (1 - ty) + bottom * ty;
    }
  }
  return field;
}

/** Octaves of value noise, each half as wide and `gain` as strong as the one before. */
export function fractalNoise(random, size, cellX, cellY, octaves = 4, gain = 0.5) {
  const field = new Float32Array(size * size);
  let weight = 1;
  let total = 0;
  for (let octave = 0; octave < octaves; octave++) {
    const scale = 2 ** octave;
    const layer = valueNoise(random, size, Math.max(1, cellX / scale), Math.max(1, cellY / scale));
    for (let i = 0; i < field.length; i++) field[i] += weight * layer[i];
    total += weight;
    weight *= gain;
  }
  for (let i = 0; i < field.length; i++) field[i] /= total;
  return field;
}

/** Distance to the nearest of the points scattered one per cell, over the cell's width (cellular noise). */
export function cellNoise(random, size, cell) {
  const columns = Math.ceil(size / cell) + 2;
  const points = Float32Array.from({ length: 2 * columns * columns }, () => random.next());
  const field = new Float32Array(size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const cx = Math.floor(x / cell) + 1;
      const cy = Math.floor(y / cell) + 1;
      let nearest = Infinity;
      for (let row = cy - 1; row <= Math.min(cy + 1, columns - 1); row++) {
        for (let column = cx - 1; column <= Math.min(cx + 1, columns - 1); column++) {
          const at = 2 * (row * columns + column);
          const dx = (column - 1 + points[at]) * cell - x;
          const dy = (row - 1 + points[at + 1]) * cell - y;
          nearest = Math.min(nearest, dx * dx + dy * dy);
        }
      }
      field[y * size + x] = Math.sqrt(nearest) / cell;
    }
  }
  return field;
}
