/** Finds the defects that training would cut or lose at a size of windows. */
import { setImmediate } from 'node:timers/promises';
import { type PixelData, RawImage } from '../core/image.js';
import type { Fit } from '../options/names.js';
import type { Defect } from './components.js';
import { type Box, type Size, startAround } from './cut.js';
import { binarize, boundingBox, fitAround } from './fit.js';
import { resizeImage } from './image-file.js';
import { piecesOf, regionAround } from './region-plan.js';
import { mostRegions, type Scale } from './regions.js';

/** An image with the defects of one type. */
export interface DefectImage extends Size {
  source: string;
  defects: readonly Defect[];
}

/** What training cuts or loses. */
export interface Losses {
  /** The number of defects that are larger than a window and train in pieces. */
  inPieces: number;
  /** The images of which a square shows only a part of the defects. */
  cut: string[];
  /** The images with a defect that no pixel of the model would show. Training on them is an error. */
  vanished: string[];
  /** The number of defects or pieces that are more than training takes. */
  left: number;
}

/** Draws the part of the defects that lies in a box. */
function paintIn({ left, top, width, height }: Box, defects: readonly Defect[]): PixelData {
  const data = new Uint8Array(width * height);
  for (const { runs } of defects) {
    for (const { y, start, end } of runs) {
      const row = y - top;
      const [from, to] = [Math.max(start - left, 0), Math.min(end - left, width)];
      if (row >= 0 && row < height && from < to) data.fill(255, row * width + from, row * width + to);
    }
  }
  return new RawImage({ data, width, height, channels: 1 });
}

/** Returns true if a piece leaves no pixel in the regions of training. */
async function vanishesIn(piece: Box, image: DefectImage, { window, resolution }: Scale): Promise<boolean> {
  const region = regionAround(piece, image, window);
  const scaled = (side: number) => Math.max(resolution, Math.round((side * resolution) / window));
  const mask = paintIn(region, image.defects);
  return !boundingBox(binarize(await resizeImage(mask, scaled(region.width), scaled(region.height))));
}

/** Returns what training on windows cuts or loses. */
export async function lossesInWindows(images: readonly DefectImage[], scale: Scale): Promise<Losses> {
  const losses: Losses = { inPieces: 0, cut: [], vanished: [], left: 0 };
  let pieces = 0;
  for (const image of images) {
    await setImmediate();
    const own = image.defects.map((defect) => piecesOf(defect, scale.window));
    losses.inPieces += own.filter(({ length }) => length > 1).length;
    pieces += own.flat().length;
    // A window that is not shrunk keeps every pixel.
    for (const piece of scale.window > scale.resolution ? own.flat() : []) {
      if (losses.vanished.at(-1) !== image.source && (await vanishesIn(piece, image, scale))) {
        losses.vanished.push(image.source);
      }
    }
  }
  losses.left = Math.max(0, pieces - mostRegions(scale.resolution));
  return losses;
}

/** Returns true if the square that is cut out of an image does not show all of its defects. */
function isCut({ width, height, defects }: DefectImage, { left, top, ...size }: Box): boolean {
  const side = Math.min(width, height);
  const x = startAround(left + size.width / 2, side, width);
  const y = startAround(top + size.height / 2, side, height);
  return defects.some(
    ({ box }) => box.left < x || box.top < y || box.left + box.width > x + side || box.top + box.height > y + side,
  );
}

/** Returns what training on whole images cuts or loses. */
export async function lossesInSquares(images: readonly DefectImage[], resolution: number, fit: Fit): Promise<Losses> {
  const losses: Losses = { inPieces: 0, cut: [], vanished: [], left: 0 };
  for (const image of images) {
    await setImmediate();
    const mask = paintIn({ left: 0, top: 0, width: image.width, height: image.height }, image.defects);
    const box = boundingBox(mask) as Box;
    if (fit === 'crop' && isCut(image, box)) losses.cut.push(image.source);
    if (!boundingBox(binarize(await fitAround(mask, mask, resolution, fit)))) losses.vanished.push(image.source);
  }
  return losses;
}
