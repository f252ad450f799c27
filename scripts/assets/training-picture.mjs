// One procedural picture for training: a scene, mostly with a defect, as a camera sees it, and the defect's mask.
import { photograph } from './camera.mjs';
import { areas } from './defects/areas.mjs';
import { breaks } from './defects/breaks.mjs';
import { lines } from './defects/lines.mjs';
import { drawScene } from './scene.mjs';

const GOOD_SHARE = 0.12;
const BREAK_SHARE = 0.35;
/** Half of a training window, which is 128 pixels wide. */
const LARGEST_AREA = 64 * 128;
const SMALLEST_AREA = 8;
/** The mean change of a defect's pixels that is clearly visible, as a share of the range. */
const VISIBLE = 0.11;
const ATTEMPTS = 12;

const surfaceDefects = { ...lines, ...areas };
/** Thin and small defects are the hardest to learn, so they are drawn more often. */
const FREQUENT = { crack: 7, scratch: 3, cut: 2, fibre: 2, hole: 3, pits: 2, contamination: 2, stain: 2 };
const surfaceNames = Object.keys(surfaceDefects).flatMap((name) => Array(FREQUENT[name] ?? 1).fill(name));

function drawOnce(random, scene) {
  const breaking = scene.inside && random.chance(BREAK_SHARE);
  const name = random.pick(breaking ? Object.keys(breaks) : surfaceNames);
  const before = scene.pixels.slice();
  const cover = (breaking ? breaks : surfaceDefects)[name](random, scene);
  // A defect of the surface lies on the object.
  if (scene.inside && !breaking) {
    for (let i = 0; i < cover.length; i++) {
      cover[i] *= scene.inside[i];
      if (scene.inside[i] === 1) continue;
      for (let c = 3 * i; c < 3 * i + 3; c++) {
        scene.pixels[c] = before[c] + scene.inside[i] * (scene.pixels[c] - before[c]);
      }
    }
  }
  let area = 0;
  let change = 0;
  for (let i = 0; i < cover.length; i++) {
    if (cover[i] < 0.5) continue;
    area++;
    for (let c = 3 * i; c < 3 * i + 3; c++) change += Math.abs(scene.pixels[c] - before[c]) / 3;
  }
  if (area >= SMALLEST_AREA && area <= LARGEST_AREA && change / area >= VISIBLE) return { name, cover };
  scene.pixels.set(before);
  return undefined;
}

function drawDefect(random, scene) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const drawn = drawOnce(random, scene);
    if (drawn) return drawn;
  }
  return undefined;
}

/**
 * Draws a picture. Returns { image: Buffer of RGB bytes, mask: Uint8Array of 0 and 1, caption: what it shows,
 * part: the defect's name, or "" }.
 */
export async function drawTrainingPicture(random, size) {
  const scene = drawScene(random, size);
  for (let i = 0; i < scene.pixels.length; i++) scene.pixels[i] = Math.min(1, Math.max(0, scene.pixels[i]));
  const drawn = random.chance(GOOD_SHARE) ? undefined : drawDefect(random, scene);
  const image = await photograph(random, scene.pixels, size);
  const mask = Uint8Array.from({ length: size * size }, (_, i) => (drawn && drawn.cover[i] >= 0.5 ? 1 : 0));
  return { image, mask, caption: drawn ? `${scene.name} with a ${drawn.name}` : scene.name, part: drawn?.name ?? '' };
}
