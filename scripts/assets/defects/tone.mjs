// Colours that stand out where a defect is drawn.
import { clamp } from '../coverage.mjs';

/** The mean colour of the picture in a square of 9 pixels about (x, y). */
export function colourNear({ size, pixels }, x, y) {
  const sum = [0, 0, 0];
  let count = 0;
  for (let row = Math.max(0, Math.round(y) - 4); row <= Math.min(size - 1, Math.round(y) + 4); row++) {
    for (let column = Math.max(0, Math.round(x) - 4); column <= Math.min(size - 1, Math.round(x) + 4); column++) {
      for (let c = 0; c < 3; c++) sum[c] += clamp(pixels[3 * (row * size + column) + c]);
      count++;
    }
  }
  return sum.map((v) => v / Math.max(1, count));
}

/** A darker or brighter colour than the picture at (x, y). `darkShare`: how often it is darker on a middle grey. */
export function contrasting(random, scene, [x, y], darkShare = 0.7) {
  const near = colourNear(scene, x, y);
  const level = (near[0] + near[1] + near[2]) / 3;
  const dark = level > 0.7 ? random.chance(0.9) : level < 0.2 ? random.chance(0.1) : random.chance(darkShare);
  if (dark) {
    const factor = random.range(0, 0.55);
    return near.map((v) => v * factor);
  }
  const towards = random.range(0.45, 1);
  return near.map((v) => v + towards * (random.range(0.92, 1) - v));
}

/** Any colour, strongly or weakly saturated, at least 0.25 from the picture's brightness at (x, y). */
export function foreignColour(random, scene, [x, y]) {
  const near = colourNear(scene, x, y);
  const level = (near[0] + near[1] + near[2]) / 3;
  let other = random.range(0, 1);
  if (Math.abs(other - level) < 0.25) other = level > 0.5 ? level - 0.3 : level + 0.3;
  if (random.chance(0.4)) return [other, other, other];
  return [0, 1, 2].map(() => clamp(other + random.range(-0.25, 0.25)));
}

/** A random place for a defect: inside the object where there is one, not too near the picture's border. */
export function spotFor(random, { size, inside }) {
  for (let attempt = 0; attempt < 40; attempt++) {
    const [x, y] = [random.range(0.15, 0.85) * size, random.range(0.15, 0.85) * size];
    if (!inside || inside[Math.floor(y) * size + Math.floor(x)] > 0.9) return [x, y];
  }
  return [size / 2, size / 2];
}

/** A size in pixels between `low` and `high`; small ones are as frequent as large ones. */
export const logRange = (random, low, high) => low * (high / low) ** random.next();
