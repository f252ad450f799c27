// The two defects of the example set. Each is drawn onto a picture in place and returns its coverage: Float32Array
// (size * size) in [0, 1]. They stay as they are, because the example set is made anew from its seed.
import { clamp, paint, strokeCoverage } from './coverage.mjs';
import { fractalNoise } from './noise.mjs';

/** Coverage of a blob: an ellipse whose rim is moved by noise. */
function roundBlob(random, size, cx, cy, rx, ry, roughness) {
  const wobble = fractalNoise(random, size, Math.max(3, rx * 0.7), Math.max(3, ry * 0.7), 2);
  const angle = random.range(0, Math.PI);
  const cover = new Float32Array(size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const u = ((x - cx) * Math.cos(angle) + (y - cy) * Math.sin(angle)) / rx;
      const v = (-(x - cx) * Math.sin(angle) + (y - cy) * Math.cos(angle)) / ry;
      const inside = 1 + roughness * wobble[y * size + x] - Math.hypot(u, v);
      cover[y * size + x] = clamp(inside * Math.min(rx, ry) + 0.5);
    }
  }
  return cover;
}

const place = (random, size, margin = 0.2) => [
  random.range(margin, 1 - margin) * size,
  random.range(margin, 1 - margin) * size,
];

/** A walk of `steps` points whose direction wanders by `turn` radians a step. */
function wander(random, size, steps, stride, turn, width) {
  let [x, y] = place(random, size);
  let angle = random.range(0, 2 * Math.PI);
  const points = [];
  for (let i = 0; i <= steps; i++) {
    const taper = Math.min(1, 0.4 + (1.2 * Math.min(i, steps - i)) / steps);
    points.push([x, y, width * taper]);
    angle += turn * random.normal();
    x += stride * Math.cos(angle);
    y += stride * Math.sin(angle);
  }
  return points;
}

export const exampleDefects = {
  scratch: (random, size, pixels) => {
    const length = random.range(0.3, 0.8) * size;
    const points = wander(random, size, 8, length / 8, 0.05, random.range(0.016, 0.03) * size);
    const cover = strokeCoverage(size, points);
    const level = random.chance(0.7) ? random.range(0.85, 1) : random.range(0, 0.15);
    paint(pixels, cover, () => level);
    return cover;
  },
  stain: (random, size, pixels) => {
    const [x, y] = place(random, size);
    const r = random.range(0.1, 0.25) * size;
    const cover = roundBlob(random, size, x, y, r, r * random.range(0.5, 1), 0.5);
    const dark = random.chance(0.7);
    const colour = random.chance(0.5)
      ? [0, 1, 2].map(() => (dark ? random.range(0.08, 0.25) : random.range(0.8, 1)))
      : dark
        ? random.range(0.05, 0.2)
        : random.range(0.85, 1);
    const strength = random.range(0.65, 0.9);
    paint(
      pixels,
      cover.map((c) => c * strength),
      () => colour,
    );
    return cover;
  },
};
