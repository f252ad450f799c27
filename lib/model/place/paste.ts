/** Puts drawn defects into photographs at full size. */
import type { NativePasted, NativePlaced } from '../../addon-types.js';
import { type PixelData, RawImage } from '../../core/image.js';
import { resizeImage } from '../../dataset/image-file.js';
import { fillLevel, type PartFill } from '../../dataset/part-fill.js';
import type { Photograph } from '../../dataset/photograph.js';
import { cutWindow, insideOf, WindowGrid } from '../../dataset/photograph-window.js';
import type { PlaceEngine } from './engine.js';
import type { DrawnDefect } from './pair-defect.js';
import type { Place } from './place.js';

/** The images of a pair, as large as the photograph. */
export interface PlacedImages {
  /** It has one channel if the photograph is grey. */
  image: RawImage;
  part: RawImage;
  mask: RawImage;
}

/**
 * Adds a drawn defect to its window of an image: the photograph, or one that shows other defects already. Pixels of the
 * model can reach a little beyond a region, which ends at pixels of the photograph, so nothing is added outside it.
 */
export async function pasteDefect(
  engine: Pick<PlaceEngine, 'paste'>,
  image: PixelData,
  { window, place, within }: Pick<Place, 'window' | 'place' | 'within'>,
  drawn: NativePlaced,
): Promise<NativePasted> {
  const { data } = await cutWindow(image, window);
  const { side } = window;
  const { channels } = image;
  const pasted = await engine.paste(data, drawn, { side, channels, resolution: Math.sqrt(place.length) });
  if (!within) return pasted;
  const isOutside = (i: number) => !within(window.left + (i % side), window.top + Math.floor(i / side));
  return {
    ...pasted,
    image: pasted.image.map((value, i) => (isOutside(Math.floor(i / channels)) ? (data[i] as number) : value)),
    mask: pasted.mask.map((value, i) => (isOutside(i) ? 0 : value)),
  };
}

/** Makes the images of a pair. Outside of the defects, the image is the photograph itself. */
export async function placedImages(
  engine: Pick<PlaceEngine, 'paste'>,
  { image: photograph }: Photograph,
  defects: readonly DrawnDefect[],
  fill: PartFill,
): Promise<PlacedImages> {
  const { width, height, channels } = photograph;
  const size = { width, height };
  const image = new RawImage({ ...size, channels, data: photograph.data.slice() });
  const part = new RawImage({
    ...size,
    channels: 3,
    data: new Uint8Array(3 * width * height).fill(Math.round(fillLevel[fill])),
  });
  const mask = new RawImage({ ...size, channels: 1, data: new Uint8Array(width * height) });
  for (const { place, drawn } of defects) {
    const pasted = await pasteDefect(engine, image, place, drawn);
    copyInside(pasted.image, place, image);
    addInside(pasted.mask, place, mask);
    await addPart(drawn.part, place, part);
  }
  return { image, part, mask };
}

/** Calls `use` with the positions of each pixel of a window that lies inside the photograph: in the window and there. */
function eachInside(
  { window }: Pick<Place, 'window'>,
  image: PixelData,
  use: (from: number, to: number) => void,
): void {
  const { left, top, width, height } = insideOf(window, image);
  for (let y = top; y < top + height; y++) {
    const row = (y - window.top) * window.side - window.left;
    for (let x = left; x < left + width; x++) use(row + x, y * image.width + x);
  }
}

function copyInside(from: Uint8Array, place: Place, image: RawImage): void {
  const { data, channels } = image;
  eachInside(place, image, (source, target) => {
    for (let channel = 0; channel < channels; channel++) {
      data[target * channels + channel] = from[source * channels + channel] as number;
    }
  });
}

function addInside(from: Uint8Array, place: Place, mask: RawImage): void {
  eachInside(place, mask, (source, target) => {
    if ((from[source] as number) > 0) mask.data[target] = 255;
  });
}

/** Shows a drawn part where its defect may be, so that the parts of neighbours do not cover each other. */
async function addPart(drawn: Uint8Array, { window, place }: Place, part: RawImage): Promise<void> {
  const resolution = Math.sqrt(place.length);
  const marks = new WindowGrid(window, resolution).marksOf(place);
  const pixels = { data: drawn, width: resolution, height: resolution, channels: 3 as const };
  const { data } = await resizeImage(pixels, window.side, window.side, 'lanczos3');
  eachInside({ window }, part, (source, target) => {
    if (!marks(target % part.width, Math.floor(target / part.width))) return;
    for (let channel = 0; channel < 3; channel++)
      part.data[3 * target + channel] = data[3 * source + channel] as number;
  });
}
