/** Cuts the regions that training takes its windows from out of photographs, at the scale of the adapter. */
import { DatasetError } from '../core/errors.js';
import { type PixelData, RawImage } from '../core/image.js';
import { type Defect, defectsIn } from './components.js';
import { type Box, cutOut, middleOf, shrunkSize } from './cut.js';
import type { FindForeground } from './dataset.js';
import { type Example, emptyMask, readExample } from './example-file.js';
import { binarize, boundingBox } from './fit.js';
import { resizeImage, type Stored } from './image-file.js';
import { labelOf } from './image-source.js';
import { type ObjectFrame, objectFrame, placeOn } from './object-frame.js';
import { marksOf } from './photograph-window.js';
import { evenly, piecesOf, regionAround } from './region-plan.js';
import type { TrainingRegion } from './training-region.js';

/** An example of one of the types, with what its mask shows. */
export interface SurveyedExample {
  example: Example;
  /** The place of the example's type in the list of types. */
  type: number;
  /** The photograph's size in pixels. */
  width: number;
  height: number;
  defects: Defect[];
}

/** The scale of an adapter: `window` pixels of a photograph become `resolution` pixels. */
export interface Scale {
  window: number;
  resolution: number;
}

/** The largest number of regions, and of their pixels in all, so that the images of a training fit into memory. */
const MAX_REGIONS = 256;
const MAX_PIXELS = 2 ** 27;

/** A mask model works at this number of pixels along the longer side at most. */
const FOREGROUND_SIDE = 512;

/** Returns the largest number of regions at this resolution. */
export const mostRegions = (resolution: number): number =>
  Math.max(1, Math.min(MAX_REGIONS, Math.floor(MAX_PIXELS / (2 * resolution) ** 2)));

/**
 * Finds the defects of every example, with one photograph in memory at a time. Throws ERR_DATASET_INVALID with the file
 * that cannot be read or the mask that is empty.
 */
export async function surveyExamples(examples: readonly Example[], type: number): Promise<SurveyedExample[]> {
  const surveyed: SurveyedExample[] = [];
  for (const example of examples) {
    const { mask } = await readExample(example);
    const defects = defectsIn(mask);
    if (defects.length === 0) throw emptyMask(example.mask);
    surveyed.push({ example, type, width: mask.width, height: mask.height, defects });
  }
  return surveyed;
}

/** The foregrounds of the photographs that training takes. */
export interface Foregrounds {
  find: FindForeground;
  /**
   * True if regions get their part of the foreground, for background compensation. Otherwise the foreground only tells
   * where on its object a defect is.
   */
  inRegions: boolean;
}

/** Finds the foreground of a whole photograph, as a mask that may be smaller. */
async function foundForeground(find: FindForeground, stored: Stored, image: RawImage): Promise<RawImage> {
  const { width, height } = shrunkSize(image, FOREGROUND_SIDE);
  return find(stored, await resizeImage(image, width, height), async (mask) => mask);
}

/** A decoded photograph, with its mask if it has a defect, and with its foreground if foregrounds are requested. */
interface MaskedPhotograph {
  image: RawImage;
  mask: PixelData | undefined;
  foreground: RawImage | undefined;
}

/** Adds the foreground to a decoded photograph if foregrounds are requested. */
export const withForeground = async (
  image: RawImage,
  mask: PixelData | undefined,
  stored: Stored,
  find: FindForeground | undefined,
): Promise<MaskedPhotograph> => {
  const found = find && (await foundForeground(find, stored, image));
  return { image, mask, foreground: found && (await resizeImage(found, image.width, image.height)) };
};

/** Cuts one region out of a photograph. */
export async function cutRegion(
  { image, mask, foreground }: MaskedPhotograph,
  box: Box,
  { window, resolution }: Scale,
) {
  const scaled = (side: number) => Math.max(resolution, Math.round((side * resolution) / window));
  const size = { width: scaled(box.width), height: scaled(box.height) };
  const cutMask = async (from: PixelData) => binarize(await cutOut(from, box, { ...size, kernel: 'linear' }));
  const blank = () => new RawImage({ ...size, data: new Uint8Array(size.width * size.height), channels: 1 });
  return {
    pixels: await cutOut(image, box, size),
    maskPixels: mask ? await cutMask(mask) : blank(),
    ...(foreground && { foregroundPixels: await cutMask(foreground) }),
  };
}

/** Returns the place of a piece of a defect on the object that a foreground marks. Returns undefined beside an object. */
function placeOfPiece(piece: Box, mask: PixelData, foreground: PixelData, frame: ObjectFrame | undefined) {
  const { x: across, y: down } = middleOf(piece);
  const place = frame && placeOn(frame, across, down);
  if (!place) return undefined;
  const isObject = marksOf(foreground, mask);
  let [marked, inside] = [0, 0];
  for (let y = piece.top; y < piece.top + piece.height; y++) {
    for (let x = piece.left; x < piece.left + piece.width; x++) {
      if ((mask.data[y * mask.width + x] as number) < 128) continue;
      marked++;
      if (isObject(x, y)) inside++;
    }
  }
  return inside > 0 ? { ...place, inside: inside / marked } : undefined;
}

/**
 * Returns a region for each defect of the examples, or for each piece of a defect that is larger than a window. By
 * default every window inside a region shows the whole defect or piece; with `squareAround` a region is one window. Only
 * so many regions are kept as fit into memory, evenly chosen; `left` counts the others. One photograph is in memory at a
 * time. `foregrounds` also tell where on its object each defect is.
 * Throws ERR_DATASET_INVALID with the mask whose defect vanishes at this scale.
 */
export async function loadRegions(
  surveyed: readonly SurveyedExample[],
  scale: Scale,
  foregrounds?: Foregrounds,
  around: typeof regionAround = regionAround,
): Promise<{ regions: TrainingRegion[]; left: number }> {
  const pieces = surveyed.flatMap((one) =>
    one.defects.flatMap((defect) => piecesOf(defect, scale.window).map((piece) => ({ one, piece }))),
  );
  const chosen = evenly(pieces, mostRegions(scale.resolution));
  const regions: TrainingRegion[] = [];
  for (const one of surveyed) {
    const own = chosen.filter((piece) => piece.one === one);
    if (own.length === 0) continue;
    const { image, stored, mask } = await readExample(one.example);
    const found = foregrounds && (await foundForeground(foregrounds.find, stored, image));
    const frame = found && objectFrame(found, image);
    const foreground = foregrounds?.inRegions
      ? found && (await resizeImage(found, image.width, image.height))
      : undefined;
    const photograph = { image, mask, foreground };
    for (const { piece } of own) {
      const box = around(piece, one, scale.window);
      const cut = await cutRegion(photograph, box, scale);
      if (!boundingBox(cut.maskPixels)) throw vanished(one.example, scale);
      const { x, y } = middleOf(piece);
      const object = found && placeOfPiece(piece, mask, found, frame);
      const centre = { x: x / one.width, y: y / one.height, ...(object && { object }) };
      const { width, height } = cut.pixels;
      const middle = {
        x: Math.floor(((x - box.left) * width) / box.width),
        y: Math.floor(((y - box.top) * height) / box.height),
      };
      regions.push({ name: one.example.name, type: one.type, ...cut, centre, middle });
    }
  }
  return { regions, left: pieces.length - chosen.length };
}

const vanished = ({ mask }: Example, { window, resolution }: Scale) =>
  new DatasetError(
    `A defect in ${labelOf(mask)} vanishes where ${window} pixels become ${resolution}: use smaller windows or a higher resolution`,
  );
