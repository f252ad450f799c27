// Procedural surfaces of parts. Each gives an RGB picture: Float32Array (size * size * 3), values in [0, 1].
import { cellNoise, fractalNoise, valueNoise } from './noise.mjs';

/** A base colour: grey half of the time, as industrial cameras see. */
function baseColour(random, low, high) {
  const level = random.range(low, high);
  if (random.chance(0.5)) return [level, level, level];
  return [0, 1, 2].map(() => Math.min(1, Math.max(0, level + random.range(-0.15, 0.15))));
}

/** colour + contrast * field, with a slow change of light across the picture. */
function shade(random, size, colour, contrast, field) {
  const pixels = new Float32Array(size * size * 3);
  const tilt = random.range(-0.12, 0.12);
  const angle = random.range(0, 2 * Math.PI);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const light = tilt * ((x / size - 0.5) * Math.cos(angle) + (y / size - 0.5) * Math.sin(angle));
      const value = contrast * field[y * size + x] + light;
      for (let c = 0; c < 3; c++) pixels[(y * size + x) * 3 + c] = colour[c] + value;
    }
  }
  return pixels;
}

function sum(size, ...layers) {
  const field = new Float32Array(size * size);
  for (const [weight, layer] of layers) for (let i = 0; i < field.length; i++) field[i] += weight * layer[i];
  return field;
}

function periodic(random, size, value) {
  const field = new Float32Array(size * size);
  const phaseX = random.range(0, 20);
  const phaseY = random.range(0, 20);
  for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) field[y * size + x] = value(x + phaseX, y + phaseY);
  return field;
}

export const textures = {
  'brushed metal': (random, size) => {
    const fine = fractalNoise(random, size, random.range(24, 60), 1.5, 2);
    const broad = fractalNoise(random, size, 50, 8, 2);
    return shade(
      random,
      size,
      baseColour(random, 0.4, 0.75),
      random.range(0.12, 0.25),
      sum(size, [1, fine], [0.4, broad]),
    );
  },
  'cast metal': (random, size) => {
    const grain = fractalNoise(random, size, 4, 4, 3, 0.8);
    const broad = fractalNoise(random, size, 40, 40, 2);
    return shade(
      random,
      size,
      baseColour(random, 0.3, 0.6),
      random.range(0.1, 0.22),
      sum(size, [1, grain], [0.5, broad]),
    );
  },
  wood: (random, size) => {
    const warp = fractalNoise(random, size, 60, 18, 3);
    const rings = random.range(5, 10);
    const grain = fractalNoise(random, size, 40, 2, 2);
    const field = warp.map((w, i) => 0.6 * Math.sin(rings * w + (Math.floor(i / size) / size) * 20) + 0.6 * grain[i]);
    const colour = random.chance(0.3)
      ? baseColour(random, 0.4, 0.6)
      : [random.range(0.5, 0.7), random.range(0.36, 0.48), random.range(0.2, 0.32)];
    return shade(random, size, colour, random.range(0.07, 0.14), field);
  },
  'woven fabric': (random, size) => {
    const step = random.range(5, 10);
    const weave = periodic(random, size, (x, y) => Math.sin((Math.PI * x) / step) * Math.sin((Math.PI * y) / step));
    const uneven = fractalNoise(random, size, 12, 12, 3);
    return shade(
      random,
      size,
      baseColour(random, 0.3, 0.7),
      random.range(0.1, 0.2),
      sum(size, [1, weave], [0.6, uneven]),
    );
  },
  leather: (random, size) => {
    const cells = cellNoise(random, size, random.range(7, 13)).map((d) => 1 - 2 * d);
    const broad = fractalNoise(random, size, 40, 40, 2);
    const colour = random.chance(0.4)
      ? baseColour(random, 0.25, 0.5)
      : [random.range(0.35, 0.5), random.range(0.22, 0.32), random.range(0.14, 0.22)];
    return shade(random, size, colour, random.range(0.06, 0.12), sum(size, [-1, cells], [0.6, broad]));
  },
  'stone tile': (random, size) => {
    const veins = fractalNoise(random, size, 30, 30, 4, 0.6);
    const specks = valueNoise(random, size, 2, 2).map((v) => (v > 0.55 ? 1 : v < -0.55 ? -1 : 0));
    return shade(
      random,
      size,
      baseColour(random, 0.4, 0.75),
      random.range(0.1, 0.2),
      sum(size, [1, veins], [0.3, specks]),
    );
  },
  plastic: (random, size) => {
    const broad = fractalNoise(random, size, 70, 70, 2);
    const grain = valueNoise(random, size, 1.5, 1.5);
    return shade(
      random,
      size,
      baseColour(random, 0.25, 0.85),
      random.range(0.04, 0.09),
      sum(size, [1, broad], [0.3, grain]),
    );
  },
  'magnetic tile': (random, size) => {
    const lines = fractalNoise(random, size, 2, random.range(30, 70), 2);
    const grain = fractalNoise(random, size, 5, 5, 2);
    const level = random.range(0.3, 0.6);
    return shade(random, size, [level, level, level], random.range(0.06, 0.14), sum(size, [1, lines], [0.5, grain]));
  },
};
