// Surfaces with a regular pattern: printed, woven, knurled, perforated, ribbed, circuit boards.
import { clamp, paint, strokeCoverage } from './coverage.mjs';
import { fractalNoise, valueNoise } from './noise.mjs';

const colour = (random, low = 0.05, high = 0.95) =>
  random.chance(0.4) ? Array(3).fill(random.range(low, high)) : [0, 1, 2].map(() => random.range(low, high));

/** A pattern of period `period` pixels, turned by `angle`: mix(u, v) in [0, 1] between two colours. */
function pattern(random, size, [first, second], angle, mix) {
  const pixels = new Float32Array(size * size * 3);
  const uneven = fractalNoise(random, size, 20, 20, 3);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const phase = random.range(0, 50);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const i = y * size + x;
      const t = mix(x * cos + y * sin + phase, y * cos - x * sin + phase);
      for (let c = 0; c < 3; c++) pixels[3 * i + c] = first[c] + t * (second[c] - first[c]) + 0.04 * uneven[i];
    }
  }
  return pixels;
}

/** 1 inside a distance, with an edge of one pixel. */
const within = (distance, radius) => clamp(radius - distance + 0.5);
const toCentre = (u, period) => u - period * Math.round(u / period);
const slant = (random) => (random.chance(0.6) ? random.pick([0, Math.PI / 2]) : random.range(0, Math.PI));
const twoColours = (random) => [colour(random), colour(random)];
const tones = (random, contrast) => {
  const base = colour(random, 0.25, 0.75);
  return [base, base.map((v) => v + contrast)];
};

export const prints = {
  'printed stripes': (random, size) => {
    const period = random.range(6, 40);
    const width = period * random.range(0.15, 0.35);
    return pattern(random, size, twoColours(random), slant(random), (u) =>
      within(Math.abs(toCentre(u, period)), width),
    );
  },
  'printed dots': (random, size) => {
    const period = random.range(7, 34);
    const radius = period * random.range(0.15, 0.42);
    return pattern(random, size, twoColours(random), slant(random), (u, v) =>
      within(Math.hypot(toCentre(u, period), toCentre(v, period)), radius),
    );
  },
  'printed label': (random, size) => {
    const [ground, ink] = twoColours(random);
    const pixels = pattern(random, size, [ground, ground], 0, () => 0);
    const line = random.range(9, 26);
    const cover = new Float32Array(size * size);
    for (let y = random.range(0, line); y < size; y += line) {
      for (let x = random.range(-10, 10); x < size; x += line * random.range(0.35, 0.8)) {
        if (random.chance(0.15)) continue;
        const [a, b, thickness] = [random.range(0.2, 0.6) * line, random.range(0.2, 0.6) * line, line * 0.12];
        const strokes = [
          [x, y, x, y + b],
          [x, y, x + a * 0.6, y],
          [x, y + b, x + a * 0.6, y + b],
          [x + a * 0.6, y, x + a * 0.6, y + b],
        ];
        for (const [x0, y0, x1, y1] of strokes) {
          if (random.chance(0.6))
            strokeCoverage(
              size,
              [
                [x0, y0, thickness],
                [x1, y1, thickness],
              ],
              cover,
            );
        }
      }
    }
    paint(pixels, cover, () => ink);
    return pixels;
  },
  'checked cloth': (random, size) => {
    const period = random.range(8, 40);
    const thread = random.range(1.6, 3.2);
    return pattern(random, size, twoColours(random), slant(random), (u, v) => {
      const bands =
        (Math.sin((2 * Math.PI * u) / period) > 0 ? 0.5 : 0) + (Math.sin((2 * Math.PI * v) / period) > 0 ? 0.5 : 0);
      return clamp(bands + 0.25 * Math.sin((Math.PI * u) / thread) * Math.sin((Math.PI * v) / thread));
    });
  },
  twill: (random, size) => {
    const step = random.range(2.2, 6);
    return pattern(random, size, tones(random, random.range(0.1, 0.3)), slant(random), (u, v) =>
      clamp(0.5 + 0.5 * Math.sin((Math.PI * (u + v)) / step) + 0.2 * Math.sin((2 * Math.PI * v) / step)),
    );
  },
  'knurled metal': (random, size) => {
    const step = random.range(5, 14);
    return pattern(random, size, tones(random, random.range(0.15, 0.45)), random.range(0.5, 1), (u, v) =>
      Math.max(Math.abs(Math.sin((Math.PI * u) / step)), Math.abs(Math.sin((Math.PI * v) / step))),
    );
  },
  'perforated sheet': (random, size) => {
    const period = random.range(12, 36);
    const radius = period * random.range(0.2, 0.38);
    const sheet = colour(random, 0.4, 0.85);
    const hole = colour(random, 0, 0.25);
    return pattern(random, size, [sheet, hole], slant(random), (u, v) => {
      const shifted = Math.round(v / period) % 2 === 0 ? u : u + period / 2;
      return within(Math.hypot(toCentre(shifted, period), toCentre(v, period)), radius);
    });
  },
  'ribbed part': (random, size) => {
    const period = random.range(10, 60);
    const sharp = random.range(1, 4);
    return pattern(
      random,
      size,
      tones(random, random.range(-0.5, 0.5)),
      slant(random),
      (u) => Math.abs(Math.sin((Math.PI * u) / period)) ** sharp,
    );
  },
  'tiled joints': (random, size) => {
    const period = random.range(30, 90);
    return pattern(random, size, twoColours(random), slant(random), (u, v) =>
      within(Math.min(Math.abs(toCentre(u, period)), Math.abs(toCentre(v, 0.6 * period))), random.range(1, 1.5)),
    );
  },
  'circuit board': (random, size) => {
    const board = random.chance(0.6)
      ? [0.05, random.range(0.25, 0.45), random.range(0.1, 0.3)]
      : colour(random, 0.05, 0.4);
    const grain = valueNoise(random, size, 1.5, 1.5);
    const pixels = new Float32Array(size * size * 3);
    for (let i = 0; i < grain.length; i++) for (let c = 0; c < 3; c++) pixels[3 * i + c] = board[c] + 0.03 * grain[i];
    const traces = new Float32Array(size * size);
    const pads = new Float32Array(size * size);
    for (let n = random.integer(6, 16); n > 0; n--) {
      let [x, y] = [random.range(0, size), random.range(0, size)];
      const width = random.range(2, 6);
      for (let bend = 0; bend < 3; bend++) {
        const angle = (random.integer(0, 7) * Math.PI) / 4;
        const reach = random.range(10, 60);
        const [toX, toY] = [x + reach * Math.cos(angle), y + reach * Math.sin(angle)];
        strokeCoverage(
          size,
          [
            [x, y, width],
            [toX, toY, width],
          ],
          traces,
        );
        [x, y] = [toX, toY];
      }
      strokeCoverage(
        size,
        [
          [x, y, 2.5 * width],
          [x + 0.1, y, 2.5 * width],
        ],
        pads,
      );
    }
    paint(pixels, traces, () => board.map((v) => v + 0.15));
    paint(pixels, pads, () => [0.75, 0.7, 0.5]);
    return pixels;
  },
};
