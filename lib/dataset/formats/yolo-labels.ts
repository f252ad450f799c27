/** Reads the text files of YOLO: a line for each polygon, with its class and its points as shares of the image. */
import { readFile } from 'node:fs/promises';
import { DatasetError, withFileErrors } from '../../core/errors.js';
import type { Faults } from '../faults.js';
import { ShapesByType, typeOf } from './annotated.js';
import { fillWithBorder } from './yolo-polygon.js';

/** Ultralytics accepts points outside of the image by this share, because of rounding. */
const TOLERANCE = 0.01;

/** The names of the classes by their numbers, and the file that lists them. */
interface Classes {
  names: ReadonlyMap<number, string>;
  listedIn: string;
}

/** Adds the polygon of a line. Throws ERR_DATASET_INVALID if it cannot be used. */
function addLine(shapes: ShapesByType, line: string, where: string, { names, listedIn }: Classes): void {
  const [number, ...points] = line.trim().split(/\s+/).map(Number) as [number, ...number[]];
  const name = names.get(number);
  if (name === undefined) {
    throw new DatasetError(
      `${where} has the class ${line.trim().split(/\s+/)[0]}, but ${listedIn} names the classes ${[...names.keys()].join(', ')}: correct one of them`,
    );
  }
  if (points.length === 4) {
    throw new DatasetError(`${where} is a box, which is no mask: export the dataset for segmentation`);
  }
  if (points.length < 6 || points.length % 2 !== 0 || !points.every(Number.isFinite)) {
    throw new DatasetError(
      `${where} is no polygon: expected a class and x and y of at least 3 points in turn, so correct or remove it`,
    );
  }
  const outside = points.find((value) => value < -TOLERANCE || value > 1 + TOLERANCE);
  if (outside !== undefined) {
    throw new DatasetError(`${where} has the coordinate ${outside}: expected shares of the image's size, 0 to 1`);
  }
  shapes.add(typeOf(name, `${listedIn}: the class ${number}`), {
    where,
    draw: (canvas) => {
      const pixels = points.map((value, k) => value * (k % 2 === 0 ? canvas.width : canvas.height));
      fillWithBorder(canvas, pixels, where);
    },
  });
}

/**
 * Reads the polygons of an image. `names` has the names that `listedIn` gives to the numbers. Lines that cannot be used
 * are faults (ERR_DATASET_INVALID).
 */
export async function readLabels(
  file: string,
  names: ReadonlyMap<number, string>,
  listedIn: string,
  faults: Faults,
): Promise<ShapesByType> {
  const text = await withFileErrors('read', file, () => readFile(file, 'utf8'));
  const shapes = new ShapesByType();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    await faults.attempt(() => addLine(shapes, line, `${file}: line ${i + 1}`, { names, listedIn }));
  }
  return shapes;
}
