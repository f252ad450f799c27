// Thin defects. Each takes (random, scene), draws onto scene.pixels and returns its coverage.
import { jaggedLine, paint, strokeCoverage, withWidths } from '../coverage.mjs';
import { contrasting, foreignColour, logRange, spotFor } from './tone.mjs';

/** The end points of a line of `length` pixels about a spot. */
function lineAbout([x, y], length, angle) {
  const [dx, dy] = [(length / 2) * Math.cos(angle), (length / 2) * Math.sin(angle)];
  return [
    [x - dx, y - dy],
    [x + dx, y + dy],
  ];
}

/** Points of a smooth bow from a to b. */
function bow(a, b, bend, count = 24) {
  return Array.from({ length: count + 1 }, (_, k) => {
    const t = k / count;
    const aside = 4 * bend * t * (1 - t);
    return [a[0] + t * (b[0] - a[0]) - aside * (b[1] - a[1]), a[1] + t * (b[1] - a[1]) + aside * (b[0] - a[0])];
  });
}

/** A copy of a line, moved by (dx, dy), of width `width`. */
const moved = (points, dx, dy, width) => points.map(([x, y]) => [x + dx, y + dy, width]);

/** Paints a bright or dark rim beside a line, and adds it to the coverage. */
function paintRim(random, { size, pixels }, points, cover, gap) {
  const angle = random.range(0, 2 * Math.PI);
  const rim = strokeCoverage(size, moved(points, gap * Math.cos(angle), gap * Math.sin(angle), 1.3));
  const amount = random.range(0.15, 0.4);
  paint(pixels, rim, (i) => [0, 1, 2].map((c) => pixels[3 * i + c] + amount));
  for (let i = 0; i < rim.length; i++) cover[i] = Math.max(cover[i], rim[i]);
}

export const lines = {
  crack: (random, scene) => {
    const { size, pixels } = scene;
    const spot = spotFor(random, scene);
    const angle = random.range(0, 2 * Math.PI);
    const [a, b] = lineAbout(spot, logRange(random, 18, 1.3 * size), angle);
    const roughness = random.range(0.12, 0.55);
    const width = logRange(random, 1.4, 6.5);
    const trunk = withWidths(random, jaggedLine(random, a, b, roughness), width, random.range(0.05, 0.35));
    const cover = strokeCoverage(size, trunk);
    for (let branches = random.chance(0.4) ? random.integer(1, 3) : 0; branches > 0; branches--) {
      const from = random.pick(trunk);
      const way = angle + random.pick([-1, 1]) * random.range(0.4, 1.2);
      const reach = random.range(10, 0.35 * size);
      const to = [from[0] + reach * Math.cos(way), from[1] + reach * Math.sin(way)];
      strokeCoverage(size, withWidths(random, jaggedLine(random, from, to, roughness), 0.7 * width, 0.2), cover);
    }
    const colour = contrasting(random, scene, spot, 0.92);
    const rimmed = random.chance(0.2);
    if (rimmed) paintRim(random, scene, trunk, new Float32Array(size * size), width / 2 + 0.5);
    paint(pixels, cover, () => colour);
    return cover;
  },
  scratch: (random, scene) => {
    const { size, pixels } = scene;
    const cover = new Float32Array(size * size);
    const spot = spotFor(random, scene);
    const angle = random.range(0, Math.PI);
    const width = logRange(random, 1.2, 4);
    for (let count = random.chance(0.3) ? random.integer(2, 6) : 1; count > 0; count--) {
      const own = [
        spot[0] + 8 * (count - 1) * random.normal() * 0.5,
        spot[1] + 8 * (count - 1) * random.normal() * 0.5,
      ];
      const [a, b] = lineAbout(own, logRange(random, 15, 1.1 * size), angle + 0.06 * random.normal());
      strokeCoverage(size, withWidths(random, bow(a, b, random.range(-0.1, 0.1)), width, random.range(0, 0.25)), cover);
    }
    const colour = contrasting(random, scene, spot, 0.35);
    paint(pixels, cover, () => colour);
    return cover;
  },
  cut: (random, scene) => {
    const { size, pixels } = scene;
    const spot = spotFor(random, scene);
    const [a, b] = lineAbout(spot, logRange(random, 15, 0.8 * size), random.range(0, Math.PI));
    const width = logRange(random, 1.6, 7);
    const line = bow(a, b, random.range(-0.08, 0.08));
    const cover = strokeCoverage(size, withWidths(random, line, width, 0.05));
    if (random.chance(0.5)) paintRim(random, scene, line, cover, width / 2 + 0.6);
    const core = strokeCoverage(size, withWidths(random, line, width, 0.05));
    const colour = contrasting(random, scene, spot, 0.95);
    paint(pixels, core, () => colour);
    return cover;
  },
  fibre: (random, scene) => {
    const { size, pixels } = scene;
    const spot = spotFor(random, scene);
    let [x, y] = spot;
    let angle = random.range(0, 2 * Math.PI);
    let turn = 0.1 * random.normal();
    const points = [];
    const width = logRange(random, 1.3, 3.5);
    for (let step = random.integer(12, 60); step > 0; step--) {
      points.push([x, y, width]);
      turn = 0.9 * turn + 0.06 * random.normal();
      angle += turn;
      x += 2.5 * Math.cos(angle);
      y += 2.5 * Math.sin(angle);
    }
    const cover = strokeCoverage(size, points);
    const colour = random.chance(0.5) ? foreignColour(random, scene, spot) : contrasting(random, scene, spot, 0.5);
    paint(pixels, cover, () => colour);
    return cover;
  },
  wrinkle: (random, scene) => {
    const { size, pixels } = scene;
    const [a, b] = lineAbout(spotFor(random, scene), logRange(random, 40, 1.3 * size), random.range(0, Math.PI));
    const line = bow(a, b, random.range(-0.25, 0.25), 40);
    const width = logRange(random, 3, 14);
    const cover = strokeCoverage(size, withWidths(random, line, width, 0.05));
    const amount = random.range(0.2, 0.45);
    const light = random.range(0, 2 * Math.PI);
    const [dx, dy] = [(width / 3) * Math.cos(light), (width / 3) * Math.sin(light)];
    const bright = strokeCoverage(size, moved(line, dx, dy, width / 2));
    const dark = strokeCoverage(size, moved(line, -dx, -dy, width / 2));
    for (let i = 0; i < cover.length; i++) {
      const change = amount * cover[i] * (bright[i] - dark[i]);
      for (let c = 0; c < 3; c++) pixels[3 * i + c] += change;
    }
    return cover;
  },
  gouge: (random, scene) => {
    const { size, pixels } = scene;
    const spot = spotFor(random, scene);
    const [a, b] = lineAbout(spot, logRange(random, 14, 0.6 * size), random.range(0, Math.PI));
    const line = jaggedLine(random, a, b, 0.1);
    const width = logRange(random, 4, 16);
    const cover = strokeCoverage(size, withWidths(random, line, width, 0.1));
    const colour = contrasting(random, scene, spot, 0.8);
    paint(pixels, cover, () => colour);
    const light = random.range(0, 2 * Math.PI);
    const lit = strokeCoverage(
      size,
      moved(line, (width / 3) * Math.cos(light), (width / 3) * Math.sin(light), width / 3),
    );
    const amount = random.range(0.2, 0.6);
    for (let i = 0; i < lit.length; i++) for (let c = 0; c < 3; c++) pixels[3 * i + c] += amount * lit[i] * cover[i];
    return cover;
  },
};
