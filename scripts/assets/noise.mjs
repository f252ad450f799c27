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

/** Value noise along `angle`: cells of `along` x `across` pixels, turned; for brushed, ground and fibrous surfaces. */
export function orientedNoise(random, size, angle, along, across) {
  const reach = 1.5 * size;
  const columns = Math.ceil((2 * reach) / along) + 3;
  const rows = Math.ceil((2 * reach) / across) + 3;
  const lattice = Float32Array.from({ length: columns * rows }, () => random.range(-1, 1));
  const smooth = (t) => t * t * (3 - 2 * t);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const field = new Float32Array(size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const gx = (x * cos + y * sin + reach) / along;
      const gy = (y * cos - x * sin + reach) / across;
      const column = Math.floor(gx);
      const row = Math.floor(gy);
      const tx = smooth(gx - column);
      const ty = smooth(gy - row);
      const at = row * columns + column;
      const top = lattice[at] * (1 - tx) + lattice[at + 1] * tx;
      const bottom = lattice[at + columns] * (1 - tx) + lattice[at + columns + 1] * tx;
      field[y * size + x] = top * (1 - ty) + bottom * ty;
    }
  }
  return field;
}

/** The brightness of a relief of `height` under light from `angle`: its slope towards the light. */
export function relief(size, height, angle) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const field = new Float32Array(size * size);
  for (let y = 0; y < size; y++) {
    const up = Math.max(0, y - 1) * size;
    const down = Math.min(size - 1, y + 1) * size;
    for (let x = 0; x < size; x++) {
      const dx = height[y * size + Math.min(size - 1, x + 1)] - height[y * size + Math.max(0, x - 1)];
      field[y * size + x] = dx * cos + (height[down + x] - height[up + x]) * sin;
    }
  }
  return field;
}
