/** Cuts photographs into tiles at their own scale. */
import type { PixelData, RawImage } from '../core/image.js';
import { cutOut } from '../dataset/cut.js';
import type { Square } from '../pool.js';
import { drawsOf } from './random.js';

/** A photograph with its mask of 0 and 255. Both have the same size. */
export interface Photograph {
  image: PixelData;
  mask: PixelData;
}

interface Place {
  left: number;
  top: number;
}

/** A tile without a defect is looked for at this number of places. */
const TRIES = 20;

/** Returns a tile. Beyond the border of a photograph that is smaller than the tile, the photograph is mirrored. */
export function tileOf(image: PixelData, { left, top }: Place, size: number): Promise<RawImage> {
  return cutOut(image, { left, top, width: size, height: size }, { width: size, height: size });
}

async function squareAt({ image, mask }: Photograph, place: Place, size: number): Promise<Square> {
  return { pixels: (await tileOf(image, place, size)).data, mask: (await tileOf(mask, place, size)).data };
}

/** Returns the first and the last start of a tile within `extent`. A smaller photograph is in the middle of its tile. */
function range(extent: number, size: number): [first: number, last: number] {
  if (extent >= size) return [0, extent - size];
  const start = -Math.floor((size - extent) / 2);
  return [start, start];
}

/** Returns the starts of overlapping tiles that cover `extent` pixels. Neighbours are at most half a tile apart. */
export function startsOf(extent: number, size: number): number[] {
  const [first, last] = range(extent, size);
  const steps = Math.ceil((last - first) / (size / 2));
  return Array.from({ length: steps + 1 }, (_, i) =>
    steps === 0 ? first : first + Math.round((i * (last - first)) / steps),
  );
}

/** Returns the places of overlapping tiles that cover a photograph, row by row. */
export function coveringTiles({ width, height }: { width: number; height: number }, size: number): Place[] {
  return startsOf(height, size).flatMap((top) => startsOf(width, size).map((left) => ({ left, top })));
}

/**
 * Cuts `count` tiles out of a photograph, each of which holds a random pixel of the defect at a random place. The list
 * is empty if the mask is.
 */
export async function defectTiles(
  photograph: Photograph,
  size: number,
  { count, key }: { count: number; key: string },
): Promise<Square[]> {
  const { data, width, height } = photograph.mask;
  const marked: number[] = [];
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) marked.push(i);
  if (marked.length === 0) return [];
  const draw = drawsOf(key);
  const startNear = (pixel: number, extent: number) => {
    const [first, last] = range(extent, size);
    const low = Math.max(first, pixel - size + 1);
    return low + draw(Math.min(last, pixel) - low + 1);
  };
  const tiles: Square[] = [];
  for (let i = 0; i < count; i++) {
    const pixel = marked[draw(marked.length)] as number;
    const place = { left: startNear(pixel % width, width), top: startNear(Math.floor(pixel / width), height) };
    tiles.push(await squareAt(photograph, place, size));
  }
  return tiles;
}

/** Cuts up to `count` tiles without a defect out of a photograph, at random places. */
export async function goodTiles(
  photograph: Photograph,
  size: number,
  { count, key }: { count: number; key: string },
): Promise<Square[]> {
  const { width, height } = photograph.image;
  const draw = drawsOf(`${key} good`);
  const startIn = (extent: number) => {
    const [first, last] = range(extent, size);
    return first + draw(last - first + 1);
  };
  const tiles: Square[] = [];
  for (let tries = 0; tiles.length < count && tries < TRIES * count; tries++) {
    const place = { left: startIn(width), top: startIn(height) };
    const mask = await tileOf(photograph.mask, place, size);
    if (mask.data.some((value) => value !== 0)) continue;
    tiles.push({ pixels: (await tileOf(photograph.image, place, size)).data, mask: mask.data });
  }
  return tiles;
}
