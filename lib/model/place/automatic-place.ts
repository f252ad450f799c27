/** Chooses places that are like those of the training defects. */
import type { NativeExample } from '../../addon-types.js';
import { type Random, randomFrom } from '../../core/random.js';
import { middleOf } from '../../dataset/cut.js';
import { boundingBox } from '../../dataset/fit.js';
import { BOX_SPREAD, isPlaceOf, type ObjectFrame, type ObjectPlace, pointOn } from '../../dataset/object-frame.js';
import { type Marks, type Window, WindowGrid, windowAround } from '../../dataset/photograph-window.js';
import { given } from '../../options/check.js';
import { type DefectPixels, dilated, markedPixels, shifted, squareMask } from './defect-pixels.js';
import { spotLikeMissed } from './missed-places.js';
import {
  chooseExample,
  cutPlace,
  MIN_INSIDE,
  moveExample,
  type Place,
  type PlaceKey,
  type Site,
  type Spot,
  TRIES,
} from './place.js';
import { cutSides, softAutomaticPlace } from './soft-place.js';

/** On an object, this number of places is tried near those of the training defects before any others. */
const NEAR_TRIES = 20;
/** Places near a training defect's differ from it by up to this share of the object's size. */
const JITTER = 0.1;
/**
 * A training defect may lie beyond its own object in part. Near its place, MIN_INSIDE is a share of its part on the
 * object. Half of a defect counts as on its object in any case, because the foreground may be wrong.
 */
const MIN_PART = 1 / 2;
/** The margin of a place around its defect, as a share of the resolution. It lets the model change the shape. */
const MARGIN = 1 / 32;

/**
 * Finds a place for a moved training defect: on an object near the place where the defect was in its own photograph, or
 * else anywhere on it; on a surface anywhere. With missed defects, it is near the place of one of them, or else anywhere,
 * and the training defect is scaled to about its size. Returns undefined if no try succeeds.
 */
export async function automaticPlace(
  site: Site,
  { index, attempt }: PlaceKey,
  taken: readonly Place[],
): Promise<Place | undefined> {
  const { ground, settings } = site;
  const { resolution, seed, type } = settings;
  const occupied = taken.map(({ window, place }) => new WindowGrid(window, resolution).marksOf(place));
  for (let count = 0; count < TRIES; count++) {
    const random = randomFrom(seed, type, index, attempt, count);
    const chosen = chooseExample(site, random);
    const { point, move, minInside } = settings.missed
      ? spotLikeMissed(site, settings.missed, random, count)
      : spotFor(site, chosen.example, random, count < NEAR_TRIES);
    const moved = await moveExample(site, chosen, move);
    const placed = putDefect(site, moved, point);
    if (!placed) continue;
    const { window, defect } = placed;
    const grid = new WindowGrid(window, resolution);
    const marked = markedPixels(defect.mask);
    const inside = marked.filter((i) => grid.isMarked(i, onObject(site)));
    if (inside.length < minInside * markedPixels(moved.mask).length) continue;
    if (marked.some((i) => grid.isTouched(i, ground.forbidden))) continue;
    const place = openAround(site, grid, defect.mask);
    if (markedPixels(place).some((i) => occupied.some((marks) => grid.isTouched(i, marks)))) continue;
    const soft = softAutomaticPlace(place, defect, cutSides(moved.mask), grid, site.photograph.image);
    return cutPlace(site, { window, place: soft, defect, method: 'auto' });
  }
  return undefined;
}

const inPhotograph =
  ({ photograph: { image } }: Site): Marks =>
  (x, y) =>
    x >= 0 && y >= 0 && x < image.width && y < image.height;

const onObject = (site: Site): Marks => site.ground.object ?? inPhotograph(site);

/** Draws a spot that is near the place of a training defect on its own object, or anywhere. */
function spotFor(
  { photograph: { image }, ground, settings }: Site,
  example: NativeExample,
  random: Random,
  near: boolean,
): Spot {
  const centre = settings.centres.get(example);
  const jitter = (extent: number) => (2 * random.next() - 1) * JITTER * extent;
  const { frame } = ground;
  if (frame && centre?.object && isPlaceOf(frame, centre.object)) {
    const { turn, ...point } = spotOn(frame, centre.object, jitter, random);
    const move = given({ angle: turn });
    if (near) return { point, move, minInside: MIN_INSIDE * Math.max(centre.object.inside, MIN_PART) };
    return { point: ground.randomPoint(random), move, minInside: MIN_INSIDE };
  }
  if (!frame || !centre || !near) return { point: ground.randomPoint(random), move: {}, minInside: MIN_INSIDE };
  const { box } = ground;
  const [x, y] = [centre.x * image.width + jitter(box.width), centre.y * image.height + jitter(box.height)];
  return { point: { x, y }, move: {}, minInside: MIN_INSIDE };
}

/** Draws a point near a place on an object. If two ends of an object cannot be told apart, it may be at either end. */
function spotOn(frame: ObjectFrame, place: ObjectPlace, jitter: (extent: number) => number, random: Random) {
  const isSigned = frame.axis === 'signed' && place.axis === 'signed';
  const isReversed = frame.axis !== 'none' && !isSigned && random.below(2) === 1;
  const near = { ...place, u: place.u + jitter(1 / BOX_SPREAD), v: place.v + jitter(1 / BOX_SPREAD) };
  return pointOn(frame, near, isReversed);
}

/**
 * Puts the middle of a moved defect at a point of the photograph, or as near as the border allows. Returns undefined
 * for a defect without pixels.
 */
function putDefect(
  { photograph: { image }, side, settings: { resolution } }: Site,
  moved: DefectPixels,
  point: { x: number; y: number },
): { window: Window; defect: DefectPixels } | undefined {
  const mask = squareMask(moved.mask, resolution);
  const box = boundingBox(mask);
  if (!box) return undefined;
  const scale = side / resolution;
  const x = within(point.x, box.width * scale, image.width);
  const y = within(point.y, box.height * scale, image.height);
  const window = windowAround(x, y, side, image);
  const middle = middleOf(box);
  const right = Math.round((x - window.left) / scale - middle.x);
  const down = Math.round((y - window.top) / scale - middle.y);
  const pixels = { ...mask, data: moved.image, channels: 3 as const };
  return {
    window,
    defect: { image: shifted(pixels, right, down, 'repeat').data, mask: shifted(mask, right, down, 'empty').data },
  };
}

/** Moves the middle of an extent so that the extent fits between 0 and `whole`, if it can. */
const within = (middle: number, extent: number, whole: number): number =>
  extent >= whole ? whole / 2 : Math.min(Math.max(middle, extent / 2), whole - extent / 2);

/** Widens a defect's mask to the place in which the model may draw: not in forbidden pixels or in a mirrored border. */
function openAround(site: Site, grid: WindowGrid, mask: Uint8Array): Uint8Array {
  const { resolution } = site.settings;
  const wide = dilated(mask, resolution, Math.max(2, Math.round(resolution * MARGIN)));
  const isOpen = (i: number) => grid.isMarked(i, inPhotograph(site)) && !grid.isTouched(i, site.ground.forbidden);
  return wide.map((value, i) => (value > 0 && isOpen(i) ? 255 : 0));
}
