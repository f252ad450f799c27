/** Finds where in a photograph a defect may lie. */
import { DatasetError } from '../../core/errors.js';
import { coverageOf, type PixelData, RawImage, toRgb } from '../../core/image.js';
import type { Random } from '../../core/random.js';
import { type Box, type Size, shrunkSize } from '../../dataset/cut.js';
import { boundingBox } from '../../dataset/fit.js';
import { resizeImage } from '../../dataset/image-file.js';
import type { ImageSource } from '../../dataset/image-source.js';
import { type ObjectFrame, objectFrame } from '../../dataset/object-frame.js';
import type { Photograph } from '../../dataset/photograph.js';
import { type Marks, marksOf } from '../../dataset/photograph-window.js';
import type { RegionSource } from '../../dataset/place-region.js';
import { type ForegroundSource, foregroundOf } from '../foreground.js';

/** Foregrounds have at most this number of pixels along each side, which is enough to place defects. */
const MAX_FOREGROUND_SIDE = 1024;

/** Where defects may lie in a photograph. */
export interface Ground {
  /** The pixels of the object. Undefined for a surface. */
  object: Marks | undefined;
  /** The frame of the object. Undefined for a surface. */
  frame: ObjectFrame | undefined;
  /** The box around the object, or the whole photograph for a surface. */
  box: Box;
  /** The pixels of the foreground as the masks have it. Undefined if it was not asked for. */
  foreground: Marks | undefined;
  /** The pixels where no defect may lie. */
  forbidden: Marks;
  /** Returns a random point of the photograph where a defect may lie. */
  randomPoint(random: Random): { x: number; y: number };
}

/** The sources of a photograph's ground. */
export interface GroundSources {
  /** Undefined if nothing needs the foreground. */
  foreground: ForegroundSource | undefined;
  whereNot: RegionSource | undefined;
}

/** Returns the foreground of a photograph as a mask of 0 and 255, which may be smaller than the photograph. */
async function readForeground({ image, stored }: Photograph, source: ForegroundSource): Promise<RawImage> {
  const { width, height } = shrunkSize(image, MAX_FOREGROUND_SIDE);
  const shrink = (picture: PixelData) => resizeImage(picture, width, height);
  return foregroundOf(source, stored, new RawImage(toRgb(await shrink(image))), shrink);
}

/** The foregrounds of this number of photographs are kept. Each has at most 1 MB. */
const KEPT_FOREGROUNDS = 64;

/**
 * Finds the foregrounds of photographs, and keeps those of the last ones. A photograph is decoded for each step of a pair
 * and for each further pair, but a mask model takes longer than that.
 */
export class Foregrounds {
  readonly #kept = new Map<ImageSource, RawImage>();

  constructor(private readonly source: ForegroundSource) {}

  async of(photograph: Photograph): Promise<RawImage> {
    const { source } = photograph;
    const foreground = this.#kept.get(source) ?? (await readForeground(photograph, this.source));
    this.#kept.delete(source); // The last one in the map is the one that was used last.
    this.#kept.set(source, foreground);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_FOREGROUNDS && oldest !== undefined) this.#kept.delete(oldest);
    return foreground;
  }
}

/**
 * Reads foreground and forbidden regions of a photograph. Throws ERR_DATASET_INVALID if no place for a defect is left.
 */
export async function groundOf(
  photograph: Photograph,
  foregrounds: Foregrounds | undefined,
  whereNot: RegionSource | undefined,
): Promise<Ground> {
  const { image, label } = photograph;
  const mask = await foregrounds?.of(photograph);
  const frame = mask && objectFrame(mask, image);
  const excluded = await whereNot?.regionOf(photograph);
  const forbidden: Marks = excluded?.marks ?? (() => false);
  const marks = mask && marksOf(mask, image);
  const object = frame ? marks : undefined;
  const points = allowedPoints(image, object, forbidden);
  if (points.length === 0) {
    const inside =
      frame && mask ? `the foreground, ${(100 * coverageOf(mask)).toFixed(1)} % of its pixels,` : 'the photograph';
    throw new DatasetError(
      `No place for a defect is left in ${label}: ${excluded?.label ?? 'the foreground'} leaves nothing of ${inside} free`,
    );
  }
  return {
    ...{ object, frame, forbidden, foreground: marks, box: object && mask ? boxOf(mask, image) : wholeOf(image) },
    randomPoint: (random) => {
      const [x, y] = points.at(random.below(points.length));
      return { x: x + random.next(), y: y + random.next() };
    },
  };
}

const wholeOf = ({ width, height }: Size): Box => ({ left: 0, top: 0, width, height });

/** Returns the box around a mask in pixels of its photograph. */
function boxOf(mask: RawImage, photograph: Size): Box {
  const found = boundingBox(mask);
  if (!found) return wholeOf(photograph);
  const [across, down] = [photograph.width / mask.width, photograph.height / mask.height];
  return {
    ...{ left: found.left * across, top: found.top * down },
    ...{ width: found.width * across, height: found.height * down },
  };
}

/** Random points are among at most about this number of points on a grid. */
const MAX_POINTS = 2 ** 18;

/** Lists the points of a grid over the photograph where a defect may lie. */
function allowedPoints({ width, height }: PixelData, object: Marks | undefined, forbidden: Marks) {
  const step = Math.max(1, Math.floor(Math.sqrt((width * height) / MAX_POINTS)));
  const columns: number[] = [];
  const rows: number[] = [];
  for (let y = Math.floor(step / 2); y < height; y += step) {
    for (let x = Math.floor(step / 2); x < width; x += step) {
      if (forbidden(x, y) || (object && !object(x, y))) continue;
      columns.push(x);
      rows.push(y);
    }
  }
  return { length: columns.length, at: (i: number) => [columns[i] as number, rows[i] as number] as const };
}
