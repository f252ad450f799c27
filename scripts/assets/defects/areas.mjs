// Defects with an area. Each takes (random, scene), draws onto scene.pixels and returns its coverage.
import { blobCoverage, clamp, paint, strokeCoverage } from '../coverage.mjs';
import { fractalNoise, orientedNoise, relief } from '../noise.mjs';
import { surfaces } from '../surfaces.mjs';
import { contrasting, foreignColour, logRange, spotFor } from './tone.mjs';

/** A blob of radius about `r` at a spot. */
function blob(random, size, [x, y], r, roughness) {
  const ry = r * random.range(0.45, 1);
  return blobCoverage(random, size, { x, y, rx: r, ry, roughness, angle: random.range(0, Math.PI) });
}

/** Adds a lump of about `width` pixels to the coverage. */
function addSpeck(random, size, [x, y], width, cover) {
  const points = Array.from({ length: random.integer(2, 4) }, () => [
    x + 0.35 * width * random.normal(),
    y + 0.35 * width * random.normal(),
    Math.max(2, width * random.range(0.4, 0.9)),
  ]);
  strokeCoverage(size, points, cover);
}

/** Adds amount * relief of the blob's rounded height: what a dent or bump looks like under slanting light. */
function emboss({ size, pixels }, cover, height, angle, amount) {
  const slope = relief(size, height, angle);
  let most = 1e-6;
  for (const v of slope) most = Math.max(most, Math.abs(v));
  for (let i = 0; i < slope.length; i++) {
    for (let c = 0; c < 3; c++) pixels[3 * i + c] += (amount * cover[i] * slope[i]) / most;
  }
}

/** The height of a smooth bowl of radii r at a spot, 1 in the middle and 0 at the rim. */
const bowl = (size, [x, y], r, ratio, angle) =>
  Float32Array.from({ length: size * size }, (_, i) => {
    const [dx, dy] = [(i % size) - x, Math.floor(i / size) - y];
    const u = (dx * Math.cos(angle) + dy * Math.sin(angle)) / r;
    const v = (dy * Math.cos(angle) - dx * Math.sin(angle)) / (r * ratio);
    return Math.max(0, 1 - u * u - v * v) ** 1.5;
  });

function dentOf(random, scene, high, gloss) {
  const { size, pixels } = scene;
  const spot = spotFor(random, scene);
  const height = bowl(size, spot, logRange(random, 5, high), random.range(0.5, 1), random.range(0, Math.PI));
  const cover = height.map((h) => clamp(h * 40));
  const dim = random.range(-0.15, 0.1);
  for (let i = 0; i < cover.length; i++) for (let c = 0; c < 3; c++) pixels[3 * i + c] += dim * cover[i];
  emboss(scene, cover, height, random.range(0, 2 * Math.PI), random.range(0.25, 0.6));
  if (gloss)
    paint(
      pixels,
      height.map((h) => clamp(8 * (h - 0.8)) * 0.7),
      () => 1,
    );
  return cover;
}

export const areas = {
  hole: (random, scene) => {
    const spot = spotFor(random, scene);
    const r = logRange(random, 1.5, 22);
    const cover = blob(random, scene.size, spot, r, random.range(0.02, 0.4));
    const colour = contrasting(random, scene, spot, 0.95);
    const wall = random.range(0, 0.35);
    const light = random.range(0, 2 * Math.PI);
    paint(scene.pixels, cover, (i) => {
      const along =
        ((i % scene.size) - spot[0]) * Math.cos(light) + (Math.floor(i / scene.size) - spot[1]) * Math.sin(light);
      const lit = wall * clamp(along / r - 0.3);
      return [colour[0] + lit, colour[1] + lit, colour[2] + lit];
    });
    return cover;
  },
  pits: (random, scene) => {
    const [x, y] = spotFor(random, scene);
    const spread = logRange(random, 5, 35);
    const cover = new Float32Array(scene.size ** 2);
    const colour = contrasting(random, scene, [x, y], 0.85);
    for (let count = random.integer(3, 14); count > 0; count--) {
      const spot = [x + spread * random.normal() * 0.6, y + spread * random.normal() * 0.6];
      addSpeck(random, scene.size, spot, logRange(random, 2.2, 8), cover);
    }
    paint(scene.pixels, cover, () => colour);
    return cover;
  },
  contamination: (random, scene) => {
    const [x, y] = spotFor(random, scene);
    const spread = logRange(random, 3, 25);
    const cover = new Float32Array(scene.size ** 2);
    const colour = foreignColour(random, scene, [x, y]);
    for (let count = random.integer(1, 10); count > 0; count--) {
      const spot = [x + spread * random.normal() * 0.7, y + spread * random.normal() * 0.7];
      addSpeck(random, scene.size, spot, logRange(random, 2.5, 16), cover);
    }
    const grain = fractalNoise(random, scene.size, 4, 4, 2);
    paint(scene.pixels, cover, (i) => colour.map((v) => v + 0.15 * grain[i]));
    return cover;
  },
  stain: (random, scene) => {
    const spot = spotFor(random, scene);
    const cover = blob(random, scene.size, spot, logRange(random, 6, 45), random.range(0.15, 0.7));
    const colour = foreignColour(random, scene, spot);
    const strength = random.range(0.5, 0.95);
    const cloud = fractalNoise(random, scene.size, 20, 20, 3);
    const soaked = cover.map((c, i) => c * clamp(strength + 0.25 * cloud[i]));
    paint(scene.pixels, soaked, () => colour);
    return cover;
  },
  discoloration: (random, scene) => {
    const cover = blob(random, scene.size, spotFor(random, scene), logRange(random, 10, 55), random.range(0.05, 0.5));
    const level = random.chance(0.5) ? random.range(0.35, 0.75) : random.range(1.35, 2);
    const factors = [0, 1, 2].map(() => level * random.range(0.8, 1.25));
    paint(scene.pixels, cover, (i) => factors.map((f, c) => scene.pixels[3 * i + c] * f));
    return cover;
  },
  corrosion: (random, scene) => {
    const { size, pixels } = scene;
    const region = blob(random, size, spotFor(random, scene), logRange(random, 8, 45), 0.5);
    const grain = fractalNoise(random, size, random.range(5, 14), random.range(5, 14), 4, 0.7);
    const threshold = random.range(-0.25, 0.1);
    const cover = region.map((c, i) => c * clamp(8 * (grain[i] - threshold)));
    const level = random.range(0.15, 0.5);
    const rust = random.chance(0.6) ? [level * 1.4, level * 0.75, level * 0.4] : [level, level, level];
    paint(pixels, cover, (i) => rust.map((v) => v + 0.35 * grain[i]));
    return cover;
  },
  burn: (random, scene) => {
    const { size, pixels } = scene;
    const cover = blob(random, size, spotFor(random, scene), logRange(random, 8, 45), random.range(0.2, 0.6));
    const strength = random.range(0.6, 0.95);
    const cloud = fractalNoise(random, size, 12, 12, 3);
    const brown = random.chance(0.5) ? [1.15, 0.85, 0.6] : [1, 1, 1];
    paint(pixels, cover, (i) => brown.map((b, c) => pixels[3 * i + c] * b * clamp(1 - strength + 0.35 * cloud[i])));
    return cover;
  },
  dent: (random, scene) => dentOf(random, scene, 40, false),
  bubble: (random, scene) => dentOf(random, scene, 16, true),
  peeling: (random, scene) => {
    const { size, pixels } = scene;
    const cover = blob(random, size, spotFor(random, scene), logRange(random, 5, 42), random.range(0.3, 0.8));
    const under = surfaces[random.pick(Object.keys(surfaces))](random, size);
    paint(pixels, cover, (i) => [under[3 * i], under[3 * i + 1], under[3 * i + 2]]);
    emboss(scene, cover, cover, random.range(0, 2 * Math.PI), random.range(0.1, 0.5));
    return cover;
  },
  abrasion: (random, scene) => {
    const { size, pixels } = scene;
    const spot = spotFor(random, scene);
    const cover = blob(random, size, spot, logRange(random, 6, 42), random.range(0.1, 0.5));
    const streaks = orientedNoise(random, size, random.range(0, Math.PI), random.range(12, 50), random.range(1.2, 2.5));
    const colour = contrasting(random, scene, spot, 0.3);
    const [amount, strength] = [random.range(0.15, 0.35), random.range(0.5, 1)];
    const worn = cover.map((c) => c * strength);
    paint(pixels, worn, (i) => colour.map((v) => v + amount * streaks[i]));
    return cover;
  },
  'missing print': (random, scene) => {
    const { size, pixels } = scene;
    const spot = spotFor(random, scene);
    const cover = blob(random, size, spot, logRange(random, 6, 40), random.range(0.1, 0.6));
    const from = 3 * (Math.floor(spot[1]) * size + Math.floor(spot[0]));
    const colour = [pixels[from], pixels[from + 1], pixels[from + 2]];
    paint(pixels, cover, () => colour);
    return cover;
  },
  displacement: (random, scene) => {
    const { size, pixels } = scene;
    const cover = blob(random, size, spotFor(random, scene), logRange(random, 8, 45), random.range(0, 0.4));
    const before = pixels.slice();
    const [dx, dy] = [random.integer(3, 25) * random.pick([-1, 1]), random.integer(3, 25) * random.pick([-1, 1])];
    const wrap = (v) => (v + size) % size;
    paint(pixels, cover, (i) => {
      const k = 3 * (wrap(Math.floor(i / size) + dy) * size + wrap((i % size) + dx));
      return [before[k], before[k + 1], before[k + 2]];
    });
    return cover;
  },
};
