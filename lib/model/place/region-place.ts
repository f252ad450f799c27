/** Makes places of the regions that a user gives. */
import { DatasetError } from '../../core/errors.js';
import { randomFrom } from '../../core/random.js';
import { middleOf } from '../../dataset/cut.js';
import { boundingBox } from '../../dataset/fit.js';
import { WindowGrid, windowAround } from '../../dataset/photograph-window.js';
import type { Region } from '../../dataset/place-region.js';
import { markedPixels, squareMask } from './defect-pixels.js';
import { chooseExample, cutPlace, moveExample, type Place, type PlaceKey, type Site, TRIES } from './place.js';
import { softRegionPlace } from './soft-place.js';

/**
 * Makes a place of a whole region. A training defect is moved into it, if there is one. Throws ERR_DATASET_INVALID if
 * the region is larger than a window, lies outside the foreground masks or is forbidden.
 */
export async function regionPlace(
  site: Site,
  { index, attempt }: PlaceKey,
  region: Region,
  method: 'mask' | 'box',
): Promise<Place> {
  const { photograph, ground, side, settings } = site;
  const { resolution, seed, type, examples } = settings;
  requireUsable(site, region);
  const { box } = region;
  const { x, y } = middleOf(box);
  const window = windowAround(x, y, side, photograph.image);
  const grid = new WindowGrid(window, resolution);
  const place = grid.maskOf(region.marks).map((value, i) => (grid.isTouched(i, ground.forbidden) ? 0 : value));
  const room = boundingBox(squareMask(place, resolution));
  if (!room)
    throw new DatasetError(`whereNot leaves nothing of the place in ${photograph.label} free: ${region.label}`);
  const soft = { window, place: softRegionPlace(place, grid, photograph.image), method, within: region.marks };
  if (examples.length === 0) return cutPlace(site, soft);
  for (let count = 0; count < TRIES; count++) {
    const chosen = chooseExample(site, randomFrom(seed, type, index, attempt, count));
    const moved = await moveExample(site, chosen, { box: room });
    const mask = moved.mask.map((value, i) => (value > 0 && (place[i] as number) > 0 ? 255 : 0));
    if (markedPixels(mask).length === 0) continue;
    return cutPlace(site, { ...soft, defect: { ...moved, mask } });
  }
  throw new DatasetError(
    `No training defect fits into the place in ${photograph.label} (${region.label}), ${box.width} x ${box.height} pixels in a window of ${side}`,
  );
}

/** Throws ERR_DATASET_INVALID for a region that no window holds, or that misses the foreground masks. */
function requireUsable({ photograph: { label }, ground, side, settings }: Site, region: Region): void {
  const { box, marks } = region;
  if (box.width > side || box.height > side) {
    throw new DatasetError(
      `${region.label} is a place of ${box.width} x ${box.height} pixels in ${label}, but a window has ${side} x ${side}: make it smaller, or train an adapter with a larger window`,
    );
  }
  const { foreground } = settings;
  if (typeof foreground !== 'object' || !('folder' in foreground)) return; // A mask model may be wrong, so the user decides.
  for (let y = box.top; y < box.top + box.height; y++) {
    for (let x = box.left; x < box.left + box.width; x++) if (marks(x, y) && ground.foreground?.(x, y)) return;
  }
  throw new DatasetError(`${region.label} is a place outside the foreground of ${label}`);
}
