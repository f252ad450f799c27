// Procedural defects, drawn onto a picture in place. Each returns its coverage: Float32Array (size * size) in [0, 1].
import { fractalNoise } from './noise.mjs';

const clamp = (v) => Math.min(1, Math.max(0, v));

/** Coverage of a polyline of points [x, y, width], by the distance to its nearest segment; soft over one pixel. */
function strokeCoverage(size, points, into = new Float32Array(size * size)) {
  for (let p = 0; p + 1 < points.length; p++) {
    const [ax, ay, aw] = points[p];
    const [bx, by, bw] = points[p + 1];
    const reach = Math.max(aw, bw) + 2;
    const x0 = Math.max(0, Math.floor(Math.min(ax, bx) - reach));
    const x1 = Math.min(size - 1, Math.ceil(Math.max(ax, bx) + reach));
    const y0 = Math.max(0, Math.floor(Math.min(ay, by) - reach));
    const y1 = Math.min(size - 1, Math.ceil(Math.max(ay, by) + reach));
    const length2 = (bx - ax) ** 2 + (by - ay) ** 2 || 1;
    for (let y = y0; y <= y1; y++) {
      for (let x = x0; x <= x1; x++) {
        const t = clamp(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length2);
        const distance = Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
        const cover = clamp((aw + t * (bw - aw)) / 2 - distance + 0.5);
        const i = y * size + x;
        if (cover > into[i]) into[i] = cover;
      }
    }
  }
  return into;
}

/** Coverage of a blob: an ellipse whose rim is moved by noise. */
function blobCoverage(random, size, cx, cy, rx, ry, roughness) {
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

/** Mixes `colour(i)` (a grey level or RGB) into the picture by coverage. */
function paint(pixels, cover, colour) {
  for (let i = 0; i < cover.length; i++) {
    if (cover[i] === 0) continue;
    const value = colour(i);
    for (let c = 0; c < 3; c++) {
      const target = Array.isArray(value) ? value[c] : value;
      pixels[3 * i + c] += cover[i] * (target - pixels[3 * i + c]);
    }
  }
}

/** The ground itself, darker or brighter by `factor`: what shadows and worn spots look like. */
const toned = (pixels, factor) => (i) => [0, 1, 2].map((c) => clamp(pixels[3 * i + c] * factor));

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

export const defects = {
  scratch: (random, size, pixels) => {
    const length = random.range(0.3, 0.8) * size;
    const points = wander(random, size, 8, length / 8, 0.05, random.range(0.016, 0.03) * size);
    const cover = strokeCoverage(size, points);
    const level = random.chance(0.7) ? random.range(0.85, 1) : random.range(0, 0.15);
    paint(pixels, cover, () => level);
    return cover;
  },
  crack: (random, size, pixels) => {
    const width = random.range(0.009, 0.035) * size;
    const trunk = wander(random, size, 24, (random.range(0.3, 0.9) * size) / 24, random.range(0.15, 0.45), width);
    const cover = strokeCoverage(size, trunk);
    if (random.chance(0.5)) {
      const [x, y] = trunk[random.integer(6, 16)];
      const branch = wander(random, size, 10, (0.25 * size) / 10, 0.45, width * 0.7);
      const [bx, by] = branch[0];
      strokeCoverage(
        size,
        branch.map(([px, py, pw]) => [px - bx + x, py - by + y, pw]),
        cover,
      );
    }
    const level = random.range(0, 0.12);
    paint(pixels, cover, random.chance(0.4) ? () => level : toned(pixels, random.range(0.1, 0.5)));
    return cover;
  },
  hole: (random, size, pixels) => {
    const [x, y] = place(random, size);
    const r = random.range(0.018, 0.12) * size;
    const cover = blobCoverage(random, size, x, y, r, r * random.range(0.7, 1), 0.15);
    const level = random.range(0.02, 0.25);
    paint(pixels, cover, (i) => level + 0.15 * clamp(((i % size) - x + (Math.floor(i / size) - y)) / (3 * r)));
    return cover;
  },
  stain: (random, size, pixels) => {
    const [x, y] = place(random, size);
    const r = random.range(0.1, 0.25) * size;
    const cover = blobCoverage(random, size, x, y, r, r * random.range(0.5, 1), 0.5);
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
  /** A worn or shaded area, as large as half the picture. */
  patch: (random, size, pixels) => {
    const [x, y] = place(random, size, 0.05);
    const r = random.range(0.25, 0.6) * size;
    const cover = blobCoverage(random, size, x, y, r, r * random.range(0.4, 1), 0.35);
    paint(pixels, cover, toned(pixels, random.chance(0.6) ? random.range(0.3, 0.7) : random.range(1.4, 2)));
    return cover;
  },
  dent: (random, size, pixels) => {
    const [x, y] = place(random, size);
    const r = random.range(0.08, 0.2) * size;
    const cover = blobCoverage(random, size, x, y, r, r * random.range(0.7, 1), 0.1);
    const angle = random.range(0, 2 * Math.PI);
    paint(pixels, cover, (i) => {
      const slope = (((i % size) - x) * Math.cos(angle) + (Math.floor(i / size) - y) * Math.sin(angle)) / r;
      return clamp(0.5 + 0.55 * slope);
    });
    return cover;
  },
  chip: (random, size, pixels) => {
    const side = random.integer(0, 3);
    const along = random.range(0.2, 0.8) * size;
    const [x, y] = [
      [along, 0],
      [along, size - 1],
      [0, along],
      [size - 1, along],
    ][side];
    const r = random.range(0.12, 0.25) * size;
    const cover = blobCoverage(random, size, x, y, r, r * random.range(0.6, 1), 0.35);
    const level = random.chance(0.6) ? random.range(0, 0.12) : random.range(0.85, 1);
    paint(pixels, cover, random.chance(0.5) ? () => level : toned(pixels, random.range(0.15, 0.6)));
    return cover;
  },
  scuff: (random, size, pixels) => {
    const [x, y] = place(random, size);
    const angle = random.range(0, Math.PI);
    const spread = random.range(0.06, 0.12) * size;
    const cover = new Float32Array(size * size);
    for (let stroke = random.integer(6, 12); stroke > 0; stroke--) {
      const cx = x + spread * random.normal();
      const cy = y + spread * random.normal();
      const half = random.range(0.06, 0.14) * size;
      const turn = angle + 0.15 * random.normal();
      const [dx, dy] = [half * Math.cos(turn), half * Math.sin(turn)];
      const width = random.range(0.014, 0.024) * size;
      strokeCoverage(
        size,
        [
          [cx - dx, cy - dy, width * 0.5],
          [cx, cy, width],
          [cx + dx, cy + dy, width * 0.5],
        ],
        cover,
      );
    }
    const level = random.chance(0.7) ? random.range(0.85, 1) : random.range(0, 0.15);
    paint(pixels, cover, () => level);
    return cover;
  },
};
