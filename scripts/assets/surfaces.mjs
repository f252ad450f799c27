// Procedural surfaces beside those of textures.mjs. Each gives an RGB picture: Float32Array (size * size * 3) in [0, 1].
import { clamp } from './coverage.mjs';
import { cellNoise, fractalNoise, orientedNoise, relief, valueNoise } from './noise.mjs';
import { prints } from './prints.mjs';
import { textures } from './textures.mjs';

/** A colour of brightness `low`..`high`; `grey` is the share of grey ones, `spread` the distance of channels. */
export function colourOf(random, low, high, grey = 0.4, spread = 0.18) {
  const level = random.range(low, high);
  if (random.chance(grey)) return [level, level, level];
  return [0, 1, 2].map(() => clamp(level + random.range(-spread, spread)));
}

/** colour + the sum of weight * field over `layers`, each [weight, field]. */
export function layered(size, colour, ...layers) {
  const pixels = new Float32Array(size * size * 3);
  for (let i = 0; i < size * size; i++) {
    let value = 0;
    for (const [weight, field] of layers) value += weight * field[i];
    for (let c = 0; c < 3; c++) pixels[3 * i + c] = colour[c] + value;
  }
  return pixels;
}

/** A field of value(x, y). */
export const fieldOf = (size, value) =>
  Float32Array.from({ length: size * size }, (_, i) => value(i % size, Math.floor(i / size)));

const turn = (random) => random.range(0, Math.PI);
const angleOf = (random) =>
  random.chance(0.5) ? random.pick([0, Math.PI / 2]) + 0.04 * random.normal() : turn(random);

/** Rings about a centre that may lie outside: what a lathe or a milling cutter leaves. */
function rings(random, size) {
  const cx = random.range(-0.5, 1.5) * size;
  const cy = random.range(-0.5, 1.5) * size;
  const pitch = random.range(2.5, 9);
  const profile = Float32Array.from({ length: 2048 }, () => random.range(-1, 1));
  const sharpness = random.range(0.2, 1);
  return fieldOf(size, (x, y) => {
    const r = Math.hypot(x - cx, y - cy);
    const at = Math.floor(r);
    const own = profile[at % 2048] + (r - at) * (profile[(at + 1) % 2048] - profile[at % 2048]);
    return sharpness * own + (1 - sharpness) * Math.cos((2 * Math.PI * r) / pitch);
  });
}

export const surfaces = {
  ...textures,
  ...prints,
  'ground steel': (random, size) => {
    const angle = angleOf(random);
    const streaks = orientedNoise(random, size, angle, random.range(60, 200), random.range(1.1, 2.5));
    const bands = orientedNoise(random, size, angle, 300, random.range(6, 25));
    const fine = orientedNoise(random, size, angle, random.range(6, 20), 1.2);
    const weights = [random.range(0.04, 0.16), random.range(0.02, 0.12), random.range(0.02, 0.08)];
    return layered(
      size,
      colourOf(random, 0.2, 0.75, 0.8),
      [weights[0], streaks],
      [weights[1], bands],
      [weights[2], fine],
    );
  },
  'turned metal': (random, size) =>
    layered(
      size,
      colourOf(random, 0.3, 0.7, 0.8),
      [random.range(0.04, 0.14), rings(random, size)],
      [0.05, fractalNoise(random, size, 40, 40, 3)],
    ),
  'coarse casting': (random, size) => {
    const height = fractalNoise(random, size, random.range(6, 16), random.range(6, 16), 4, 0.7);
    return layered(size, colourOf(random, 0.25, 0.65, 0.7), [
      random.range(0.2, 0.5),
      relief(size, height, turn(random)),
    ]);
  },
  'painted metal': (random, size) => {
    const height = fractalNoise(random, size, random.range(4, 9), random.range(4, 9), 2);
    return layered(
      size,
      colourOf(random, 0.15, 0.9, 0.3, 0.3),
      [random.range(0.01, 0.08), relief(size, height, turn(random))],
      [0.05, fractalNoise(random, size, 90, 90, 2)],
    );
  },
  'glazed ceramic': (random, size) => {
    const specks = valueNoise(random, size, 1.8, 1.8).map((v) => (v > random.range(0.75, 0.95) ? -1 : 0));
    const gloss = fractalNoise(random, size, 60, 60, 2);
    return layered(size, colourOf(random, 0.55, 0.92), [random.range(0, 0.2), specks], [0.05, gloss]);
  },
  foam: (random, size) => {
    const cell = random.range(4, 12);
    const pores = cellNoise(random, size, cell).map((d) => clamp(1.3 - 2.2 * d));
    const height = fractalNoise(random, size, 6, 6, 3);
    return layered(
      size,
      colourOf(random, 0.45, 0.85),
      [-random.range(0.1, 0.4), pores],
      [0.15, relief(size, height, 0.8)],
    );
  },
  crumb: (random, size) => {
    const coarse = random.range(8, 22);
    const height = fractalNoise(random, size, coarse, coarse, 5, 0.75);
    const holes = fractalNoise(random, size, coarse, coarse, 3).map((v) => clamp(6 * (v - random.range(0.25, 0.5))));
    const [warm, level] = [random.range(0.06, 0.2), random.range(0.45, 0.75)];
    const colour = random.chance(0.8) ? [level + warm, level, level - 1.5 * warm] : colourOf(random, 0.3, 0.7);
    return layered(
      size,
      colour,
      [random.range(0.25, 0.6), relief(size, height, turn(random))],
      [0.12, height],
      [-0.3, holes],
    );
  },
  concrete: (random, size) => {
    const pores = cellNoise(random, size, random.range(14, 40)).map((d) => clamp(6 * (random.range(0.06, 0.1) - d)));
    return layered(
      size,
      colourOf(random, 0.4, 0.75, 0.8, 0.05),
      [random.range(0.06, 0.16), fractalNoise(random, size, 24, 24, 5, 0.7)],
      [-0.35, pores],
    );
  },
  'mottled plastic': (random, size) => {
    const cell = random.range(5, 18);
    const field = fractalNoise(random, size, cell * random.range(1, 3), cell, random.integer(1, 3), 0.6);
    return layered(size, colourOf(random, 0.35, 0.75, 0.8), [random.range(0.08, 0.25), field]);
  },
  rubber: (random, size) =>
    layered(
      size,
      colourOf(random, 0.05, 0.25, 0.7, 0.06),
      [random.range(0.02, 0.06), valueNoise(random, size, 1.3, 1.3)],
      [0.03, fractalNoise(random, size, 30, 30, 3)],
    ),
  felt: (random, size) => {
    const layers = Array.from({ length: 5 }, () => [
      random.range(0.03, 0.08),
      orientedNoise(random, size, turn(random), random.range(10, 30), 1.4),
    ]);
    return layered(size, colourOf(random, 0.15, 0.75, 0.4, 0.25), ...layers);
  },
  paper: (random, size) =>
    layered(
      size,
      colourOf(random, 0.6, 0.93, 0.6, 0.12),
      [random.range(0.01, 0.05), orientedNoise(random, size, turn(random), 8, 1.5)],
      [random.range(0.01, 0.04), fractalNoise(random, size, 5, 5, 3)],
    ),
  'smooth grey': (random, size) =>
    layered(size, colourOf(random, 0.1, 0.92, 0.8, 0.1), [0.02, fractalNoise(random, size, 80, 80, 2)]),
};
