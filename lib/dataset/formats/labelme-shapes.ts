/** Makes shapes of the entries in labelme's files. */
import { z } from 'zod';
import { DatasetError } from '../../core/errors.js';
import type { RawImage } from '../../core/image.js';
import { ImageInMemory } from '../image-source.js';
import { readMask } from '../mask-file.js';
import { type Canvas, fillSpan, type Shape } from './canvas.js';
import { drawCircle, drawLines, drawPoints, drawPolygon, drawRectangle, type Point } from './labelme-drawing.js';

export const shapeSchema = z.looseObject(
  {
    label: z.string('a text'),
    points: z.array(z.tuple([z.number(), z.number()], 'pairs of x and y'), 'a list of points'),
    shape_type: z.string('a text').nullish(),
    mask: z.string('a text').nullish(),
  },
  'an object { label, points, shape_type }',
);
export type LabelmeShape = z.output<typeof shapeSchema>;

type Draw = (canvas: Canvas, points: readonly Point[], where: string) => void;

/** The kinds of shapes, with the least and the largest number of their points. */
const KINDS: Record<string, { draw: Draw; least: number; most?: number }> = {
  polygon: { draw: drawPolygon, least: 3 },
  oriented_rectangle: { draw: drawPolygon, least: 4, most: 4 },
  rectangle: { draw: drawRectangle, least: 2, most: 2 },
  circle: { draw: drawCircle, least: 2, most: 2 },
  line: { draw: drawLines, least: 2, most: 2 },
  linestrip: { draw: drawLines, least: 2 },
  point: { draw: drawPoints, least: 1, most: 1 },
  points: { draw: drawPoints, least: 1 },
};

/** Reads a mask that is stored as an image. Throws ERR_DATASET_INVALID if it is none. */
async function readStoredMask(mask: string, where: string): Promise<RawImage> {
  try {
    return await readMask(new ImageInMemory(`in ${where}`, 'mask', Buffer.from(mask, 'base64')));
  } catch (cause) {
    if (!(cause instanceof DatasetError)) throw cause;
    const reason = cause.message.replace(/^in /, 'The mask in ');
    throw new DatasetError(`${reason}: draw the mask again, or remove its shape`, { cause });
  }
}

/** Puts a mask that is stored as an image into the box between two corners, both included. */
async function drawStoredMask(canvas: Canvas, { points, mask }: LabelmeShape, where: string): Promise<void> {
  const [x0, y0, x1, y1] = points.flat().map(Math.trunc) as [number, number, number, number];
  const box = { width: x1 - x0 + 1, height: y1 - y0 + 1 };
  const { data, width, height } = await readStoredMask(mask ?? '', where);
  const isInside = x0 >= 0 && y0 >= 0 && x1 < canvas.width && y1 < canvas.height;
  if (!isInside || width !== box.width || height !== box.height) {
    throw new DatasetError(
      `${where} has a mask of ${width} x ${height} pixels for the box from (${x0}, ${y0}) to (${x1}, ${y1}) in an image of ${canvas.width} x ${canvas.height}: draw it again`,
    );
  }
  for (let i = 0; i < data.length; i++) {
    const x = x0 + (i % width);
    if (data[i] === 255) fillSpan(canvas, y0 + Math.floor(i / width), x, x);
  }
}

/** Returns the shape of an entry. Throws ERR_DATASET_INVALID for an unknown kind and for a wrong number of points. */
export function labelmeShape(shape: LabelmeShape, where: string): Shape {
  const { shape_type: given, points, mask } = shape;
  const name = given ?? 'polygon';
  const isMask = name === 'mask';
  const kind = isMask ? { draw: undefined, least: 2, most: 2 } : Object.hasOwn(KINDS, name) && KINDS[name];
  if (!kind) {
    throw new DatasetError(
      `${where} has the unknown shape_type ${JSON.stringify(name)}: expected ${Object.keys(KINDS).join(', ')} or mask`,
    );
  }
  const { draw, least, most = Number.POSITIVE_INFINITY } = kind;
  if (points.length < least || points.length > most) {
    const expected = most === least ? `${least}` : `at least ${least}`;
    throw new DatasetError(
      `${where} is a ${name} of ${points.length} points: expected ${expected}, so correct or remove it`,
    );
  }
  if (draw) return { where, draw: (canvas) => draw(canvas, points, where) };
  if (!mask) throw new DatasetError(`${where} is a mask without an image: draw it again, or remove it`);
  return { where, draw: (canvas) => drawStoredMask(canvas, shape, where) };
}
