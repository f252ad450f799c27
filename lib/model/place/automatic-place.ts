/** Chooses places that are like those of the training defects. */
import type { NativeExample } from '../../addon-types.js';
import { type Random, randomFrom } from '../../core/random.js';
import { middleOf } from '../../dataset/cut.js';
import { boundingBox } from '../../dataset/fit.js';
import { type Marks, type Window, WindowGrid, windowAround } from '../../dataset/photograph-window.js';
import { type DefectPixels, dilated, markedPixels, shifted, squareMask } from './defect-pixels.js';
import { cutPlace, movedExample, type Place, type PlaceKey, type Site, TRIES } from './place.js';
import { cutSides, softAutomaticPlace } from './soft-place.js';

/** On an object, this number of places is tried near those of the training defects before any others. */
const NEAR_TRIES = 20;
/** Places near a training defect's differ from it by up to this share of the object's size. */
const JITTER = 0.1;
/** At least this share of a defect must lie on the object and inside the photograph. */
const MIN_INSIDE = 0.9;
/** The margin of a place around its defect, as a share of the resolution. It lets the model change the shape. */
const MARGIN = 1 / 32;

/**
 * Finds a place for a moved training defect: on an object near the place where the defect was in its own photograph, or
 * else anywhere on it; on a surface anywhere. Returns undefined if no try succeeds.
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
    const { example, moved } = await movedExample(site, random);
    const placed = putDefect(site, moved, pointFor(site, example, random, count < NEAR_TRIES));
    if (!placed) continue;
    const { window, defect } = placed;
    const grid = new WindowGrid(window, resolution);
    const marked = markedPixels(defect.mask);
    const inside = marked.filter((i) => grid.isMarked(i, onObject(site)));
    if (inside.length < MIN_INSIDE * markedPixels(moved.mask).length) continue;
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

/** Draws the point of the photograph where the middle of a defect should be. */
function pointFor(
  { photograph: { image }, ground, settings }: Site,
  example: NativeExample,
  random: Random,
  near: boolean,
) {
  const centre = settings.centres.get(example);
  if (!ground.object || !centre || !near) return ground.randomPoint(random);
  const jitter = (extent: number) => (2 * random.next() - 1) * JITTER * extent;
  return {
    x: centre.x * image.width + jitter(ground.box.width),
    y: centre.y * image.height + jitter(ground.box.height),
  };
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
