// Coverages of strokes and blobs: Float32Array (size * size), values in [0, 1]. Their edges are computed from distances
// and are soft over one pixel, so that thin lines keep their exact width.
import { fractalNoise } from './noise.mjs';

export const clamp = (v) => Math.min(1, Math.max(0, v));

/** Coverage of a polyline of points [x, y, width], by the distance to its nearest segment. Adds to `into`. */
export function strokeCoverage(size, points, into = new Float32Array(size * size)) {
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

/** Coverage of an ellipse of radii (rx, ry) turned by `angle`, whose rim is moved by noise of grain `grain` pixels. */
export function blobCoverage(random, size, { x: cx, y: cy, rx, ry, roughness, angle, grain = Math.max(3, rx * 0.7) }) {
  const wobble = fractalNoise(random, size, grain, grain, 3, 0.6);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const cover = new Float32Array(size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const u = ((x - cx) * cos + (y - cy) * sin) / rx;
      const v = ((y - cy) * cos - (x - cx) * sin) / ry;
      const inside = 1 + roughness * wobble[y * size + x] - Math.hypot(u, v);
      cover[y * size + x] = clamp(inside * Math.min(rx, ry) + 0.5);
    }
  }
  return cover;
}

/** A jagged line of points [x, y] from `a` to `b`: midpoints are moved aside by `roughness` of the distance. */
export function jaggedLine(random, a, b, roughness) {
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
  if (length < 3) return [a, b];
  const aside = roughness * random.normal() * 0.5;
  const middle = [(a[0] + b[0]) / 2 - aside * (b[1] - a[1]), (a[1] + b[1]) / 2 + aside * (b[0] - a[0])];
  return [...jaggedLine(random, a, middle, roughness), ...jaggedLine(random, middle, b, roughness).slice(1)];
}

/** Gives the points of a line widths about `width`, which wander and end thin. */
export function withWidths(random, points, width, unevenness) {
  const last = points.length - 1;
  let wander = 0;
  return points.map(([x, y], i) => {
    wander = 0.8 * wander + 0.6 * unevenness * random.normal();
    const taper = Math.min(1, 0.5 + (2 * Math.min(i, last - i)) / Math.max(1, last));
    return [x, y, Math.max(1.2, width * taper * Math.exp(wander))];
  });
}

/** Mixes `colour(i)` (a grey level or RGB) into the picture by coverage. */
export function paint(pixels, cover, colour) {
  for (let i = 0; i < cover.length; i++) {
    if (cover[i] === 0) continue;
    const value = colour(i);
    for (let c = 0; c < 3; c++) {
      const target = typeof value === 'number' ? value : value[c];
      pixels[3 * i + c] += cover[i] * (target - pixels[3 * i + c]);
    }
  }
}
