// Defects of an object's shape: pieces that are missing, broken or bent, so that the ground shows.
// Each takes (random, scene) with an object and returns its coverage.
import { blobCoverage, clamp, jaggedLine, paint, strokeCoverage, withWidths } from '../coverage.mjs';
import { fractalNoise } from '../noise.mjs';
import { logRange, spotFor } from './tone.mjs';

const groundAt = ({ ground }, i) => [ground[3 * i], ground[3 * i + 1], ground[3 * i + 2]];

/** A place on the object's rim, in the middle part of the picture. */
function rimSpot(random, scene) {
  const { size, distance } = scene;
  let best = spotFor(random, scene);
  let nearest = Infinity;
  for (let attempt = 0; attempt < 300; attempt++) {
    const [x, y] = [random.range(0.15, 0.85) * size, random.range(0.15, 0.85) * size];
    const away = Math.abs(distance[Math.floor(y) * size + Math.floor(x)]);
    if (away < nearest) [nearest, best] = [away, [x, y]];
    if (nearest < 1.5) break;
  }
  return best;
}

/** Shows the ground, or a fractured face, where `cover` lies on the object. Returns the coverage on the object. */
function remove(random, scene, cover, faceShare) {
  const { size, pixels, inside } = scene;
  const removed = cover.map((c, i) => c * inside[i]);
  const [faceLevel, faceGrain] = [random.range(0.15, 0.85), fractalNoise(random, size, 6, 6, 4, 0.7)];
  const face = random.chance(faceShare);
  const shadow = random.range(0, 0.7);
  paint(pixels, removed, (i) => {
    if (face) return [0, 1, 2].map((c) => 0.35 * pixels[3 * i + c] + 0.65 * (faceLevel + 0.35 * faceGrain[i]));
    const dim = 1 - shadow * clamp(1 - (1 - removed[i]) * 2);
    return groundAt(scene, i).map((v) => v * dim);
  });
  return removed;
}

export const breaks = {
  chip: (random, scene) => {
    const [x, y] = rimSpot(random, scene);
    const rx = logRange(random, 4, 30);
    const ry = rx * random.range(0.4, 1);
    const shape = { x, y, rx, ry, roughness: random.range(0.1, 0.6), angle: random.range(0, Math.PI) };
    return remove(random, scene, blobCoverage(random, scene.size, shape), 0.4);
  },
  'missing part': (random, scene) => {
    const { size } = scene;
    const [x, y] = rimSpot(random, scene);
    const angle = random.range(0, 2 * Math.PI);
    const rough = fractalNoise(random, size, 18, 18, 4, 0.6);
    const roughness = random.range(1, 10);
    const reach = random.range(15, 60);
    const cover = rough.map((noise, i) => {
      const [dx, dy] = [(i % size) - x, Math.floor(i / size) - y];
      const along = dx * Math.cos(angle) + dy * Math.sin(angle);
      const across = dy * Math.cos(angle) - dx * Math.sin(angle);
      return clamp(Math.min(along + 10, reach - Math.abs(across), reach - along) + roughness * noise);
    });
    return remove(random, scene, cover, 0);
  },
  gap: (random, scene) => {
    const { size } = scene;
    const [x, y] = spotFor(random, scene);
    const angle = random.range(0, Math.PI);
    const half = random.range(0.3, 0.8) * size;
    const [dx, dy] = [half * Math.cos(angle), half * Math.sin(angle)];
    const line = jaggedLine(random, [x - dx, y - dy], [x + dx, y + dy], random.range(0.1, 0.35));
    const width = logRange(random, 3, 34);
    return remove(random, scene, strokeCoverage(size, withWidths(random, line, width, random.range(0.05, 0.2))), 0.1);
  },
  /** The object beyond a line is turned about a point of the line. */
  bent: (random, scene) => {
    const { size, pixels, inside, ground } = scene;
    const [px, py] = rimSpot(random, scene);
    const facing = random.range(0, 2 * Math.PI);
    const beyond = (x, y) => clamp((x - px) * Math.cos(facing) + (y - py) * Math.sin(facing) + 0.5);
    const turn = random.pick([-1, 1]) * random.range(0.25, 0.8);
    const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
    const before = pixels.slice();
    const cover = new Float32Array(size * size);
    for (let i = 0; i < cover.length; i++) {
      const [x, y] = [i % size, Math.floor(i / size)];
      const old = inside[i] * beyond(x, y);
      const sx = px + (x - px) * cos + (y - py) * sin;
      const sy = py + (y - py) * cos - (x - px) * sin;
      const [column, row] = [Math.round(sx), Math.round(sy)];
      const seen = column >= 0 && row >= 0 && column < size && row < size;
      const from = row * size + column;
      const now = seen ? inside[from] * beyond(sx, sy) : 0;
      cover[i] = Math.max(old, now);
      for (let c = 0; c < 3; c++) {
        const cleared = before[3 * i + c] + old * (ground[3 * i + c] - before[3 * i + c]);
        pixels[3 * i + c] = now > 0 ? cleared + now * (before[3 * from + c] - cleared) : cleared;
      }
    }
    return cover;
  },
};
