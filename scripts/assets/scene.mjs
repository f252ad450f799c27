// A scene is a picture before it has a defect. It shows a surface that fills it, or an object on a ground.
import { clamp } from './coverage.mjs';
import { fractalNoise } from './noise.mjs';
import { randomOutline } from './shapes.mjs';
import { surfaces } from './surfaces.mjs';

const OBJECT_SHARE = 0.45;
const PLAIN_GROUNDS = ['smooth grey', 'paper', 'rubber', 'plastic', 'felt', 'mottled plastic', 'painted metal'];
/** Objects of these surfaces have crumbly rims. */
const CRUMBLY = ['crumb', 'concrete', 'coarse casting', 'foam'];

/** Shading of a body by the depth below its rim: a dome, a rounded edge, or flat with a bevel. */
function shading(random, size, distance) {
  const reach = random.range(2, 0.3 * size);
  const light = random.range(0, 2 * Math.PI);
  const [lx, ly] = [Math.cos(light), Math.sin(light)];
  const strength = random.range(0.1, 0.6);
  const at = (x, y) => distance[Math.min(size - 1, Math.max(0, y)) * size + Math.min(size - 1, Math.max(0, x))];
  return (i) => {
    const depth = -distance[i];
    if (depth > reach) return 1;
    const x = i % size;
    const y = Math.floor(i / size);
    const slope = (at(x + 1, y) - at(x - 1, y)) * lx + (at(x, y + 1) - at(x, y - 1)) * ly;
    return 1 + strength * (1 - depth / reach) * Math.max(-1, Math.min(1, 0.5 * slope)) - 0.25 * (1 - depth / reach);
  };
}

/**
 * Draws a scene: { size, pixels: Float32Array RGB in [0, 1], ground: the same without the object or undefined,
 * inside: the object's coverage or undefined, distance: pixels to its rim (negative inside) or undefined, name }.
 */
export function drawScene(random, size) {
  const name = random.pick(Object.keys(surfaces));
  const pixels = surfaces[name](random, size);
  if (!random.chance(OBJECT_SHARE)) return { size, pixels, name };
  const groundName = random.chance(0.8) ? random.pick(PLAIN_GROUNDS) : random.pick(Object.keys(surfaces));
  const ground = surfaces[groundName](random, size);
  const level = (of) => of.reduce((sum, v) => sum + v, 0) / of.length;
  if (Math.abs(level(ground) - level(pixels)) < 0.12) {
    const shift = level(pixels) > 0.5 ? -random.range(0.15, 0.4) : random.range(0.15, 0.4);
    for (let i = 0; i < ground.length; i++) ground[i] += shift;
  }
  const { name: shape, outline } = randomOutline(random, size);
  const rough = CRUMBLY.includes(name) ? fractalNoise(random, size, 14, 14, 4, 0.7) : undefined;
  const roughness = rough ? random.range(3, 12) : 0;
  const distance = new Float32Array(size * size);
  for (let i = 0; i < distance.length; i++) {
    distance[i] = outline(i % size, Math.floor(i / size)) + (rough ? roughness * rough[i] : 0);
  }
  const inside = distance.map((d) => clamp(0.5 - d));
  const share = inside.reduce((sum, v) => sum + v, 0) / inside.length;
  if (share < 0.05 || share > 0.97) return { size, pixels, name };
  const shadow = random.chance(0.6) ? random.range(0.1, 0.6) : 0;
  const shadowWidth = random.range(2, 14);
  const shade = shading(random, size, distance);
  const result = new Float32Array(pixels.length);
  for (let i = 0; i < inside.length; i++) {
    const dim = 1 - shadow * clamp(1 - Math.max(0, distance[i]) / shadowWidth);
    const body = shade(i);
    for (let c = 0; c < 3; c++) {
      const k = 3 * i + c;
      ground[k] = clamp(ground[k]);
      result[k] = inside[i] * clamp(pixels[k]) * body + (1 - inside[i]) * ground[k] * dim;
    }
  }
  return { size, pixels: result, ground, inside, distance, name: `${shape} of ${name}` };
}
