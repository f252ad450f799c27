/**
 * Compares the structure of photographs, so that several photographs of one part are recognised: near-duplicates, and
 * other exposures.
 */
import { readImage, resizeImage } from './image-file.js';
import type { ImageSource } from './image-source.js';

/** A photograph is reduced to this number of cells along each side. */
const CELLS = 64;
/** Each cell is compared with its neighbours up to this distance. */
const REACH = 3;
/** Grey levels. Local contrast well below this is noise, which must not be amplified. */
const NOISE_LEVEL = 2;
/**
 * A photograph with less structure than this, as a share of its cells, does not tell which part it shows. On a plain
 * part only the defect has structure, and two parts may have the same defect.
 */
const MIN_DETAIL = 0.2;
/** Photographs of one part may be cropped differently by this share of a side, and by this number of cells. */
const SIZE_TOLERANCE = 0.06;
const SHIFT = 1;
/**
 * Photographs whose structures correlate at least this much show the same part. The six exposures of a magnetic tile
 * correlate by 0.7 to 0.99. Different screws at similar angles reach 0.72.
 */
const SAME_PART = 0.7;
/** Structures that correlate less than this without a shift are not compared any further. */
const WORTH_SHIFTING = 0.25;

/** The structure of a photograph: its grey values less their local mean, divided by their local contrast. */
export interface Structure {
  width: number;
  height: number;
  /** CELLS x CELLS values with a norm of 1, or of 0 if the photograph has too little structure. */
  cells: Float32Array;
}

/** Normalises grey values, so that light and exposure make no difference. */
function normalised(grey: Float32Array): Float32Array {
  const cells = new Float32Array(CELLS * CELLS);
  let [squares, detailed] = [0, 0];
  for (let y = 0; y < CELLS; y++) {
    for (let x = 0; x < CELLS; x++) {
      let [sum, sumOfSquares, count] = [0, 0, 0];
      for (let j = Math.max(0, y - REACH); j <= Math.min(CELLS - 1, y + REACH); j++) {
        for (let i = Math.max(0, x - REACH); i <= Math.min(CELLS - 1, x + REACH); i++) {
          const value = grey[j * CELLS + i] as number;
          sum += value;
          sumOfSquares += value * value;
          count++;
        }
      }
      const mean = sum / count;
      const contrast = Math.sqrt(Math.max(0, sumOfSquares / count - mean * mean));
      if (contrast >= NOISE_LEVEL) detailed++;
      const value = ((grey[y * CELLS + x] as number) - mean) / (contrast + NOISE_LEVEL);
      cells[y * CELLS + x] = value;
      squares += value * value;
    }
  }
  return detailed < MIN_DETAIL * cells.length ? new Float32Array(cells.length) : unit(cells, squares);
}

/** Scales values to a norm of 1. `squares` is the sum of their squares. */
function unit(cells: Float32Array, squares: number): Float32Array {
  const norm = Math.sqrt(squares);
  return norm === 0 ? cells : cells.map((value) => value / norm);
}

/**
 * Removes what all photographs have in common. Photographs of different parts look alike if each part lies in the same
 * position, and only the rest tells whether they show the same part.
 */
export function withoutCommon(structures: readonly Structure[]): Structure[] {
  const common = new Float32Array(CELLS * CELLS);
  for (const { cells } of structures) {
    for (let i = 0; i < cells.length; i++) common[i] = (common[i] as number) + (cells[i] as number) / structures.length;
  }
  return structures.map((structure) => {
    const cells = structure.cells.map((value, i) => value - (common[i] as number));
    return { ...structure, cells: unit(cells, product(cells, cells)) };
  });
}

/** Reads a photograph and returns its structure. Throws ERR_DATASET_INVALID with the file. */
export async function structureOf(source: ImageSource): Promise<Structure> {
  const image = await readImage(source);
  const { data } = await resizeImage(image, CELLS, CELLS);
  const grey = new Float32Array(CELLS * CELLS);
  for (let i = 0; i < grey.length; i++) {
    grey[i] = ((data[3 * i] as number) + (data[3 * i + 1] as number) + (data[3 * i + 2] as number)) / 3;
  }
  return { width: image.width, height: image.height, cells: normalised(grey) };
}

/** Returns the correlation of `a` with `b` moved by (dx, dy) cells, over the cells that both have, -1 to 1. */
function correlation(a: Float32Array, b: Float32Array, dx: number, dy: number): number {
  let [product, squaresA, squaresB] = [0, 0, 0];
  for (let y = Math.max(0, -dy); y < CELLS - Math.max(0, dy); y++) {
    for (let x = Math.max(0, -dx); x < CELLS - Math.max(0, dx); x++) {
      const [u, v] = [a[y * CELLS + x] as number, b[(y + dy) * CELLS + x + dx] as number];
      product += u * v;
      squaresA += u * u;
      squaresB += v * v;
    }
  }
  const norm = Math.sqrt(squaresA * squaresB);
  return norm === 0 ? 0 : product / norm;
}

function product(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** Returns true if two photographs have almost the same size and structure. */
export function showSamePart(a: Structure, b: Structure): boolean {
  const differs = (x: number, y: number) => Math.abs(x - y) > SIZE_TOLERANCE * Math.max(x, y);
  if (differs(a.width, b.width) || differs(a.height, b.height)) return false;
  const unmoved = product(a.cells, b.cells);
  if (unmoved >= SAME_PART) return true;
  if (unmoved < WORTH_SHIFTING) return false;
  for (let dy = -SHIFT; dy <= SHIFT; dy++) {
    for (let dx = -SHIFT; dx <= SHIFT; dx++) {
      if (correlation(a.cells, b.cells, dx, dy) >= SAME_PART) return true;
    }
  }
  return false;
}
