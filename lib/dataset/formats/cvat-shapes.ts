/** Makes shapes of the elements in CVAT's XML. */
import { DatasetError } from '../../core/errors.js';
import { type Canvas, fillSpan, type Shape } from './canvas.js';
import { fillPolygon } from './coco-polygon.js';
import type { XmlElement } from './cvat-xml.js';

/** Ellipses are drawn as polygons with this number of corners. */
const ELLIPSE_CORNERS = 720;

/** Returns the numbers in attributes. Throws ERR_DATASET_INVALID for a missing attribute, and for one that is no number. */
function numbersIn(attributes: Record<string, string>, names: readonly string[], where: string): number[] {
  return names.map((name) => {
    const text = attributes[name];
    const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isFinite(value)) return value;
    throw new DatasetError(
      `${where}: expected a number for ${name} but received ${JSON.stringify(text) ?? 'nothing'}: export it again`,
    );
  });
}

/** Turns points clockwise around a centre by the attribute `rotation`, in degrees. Returns x and y in turn. */
function turnedPoints(
  points: readonly (readonly [number, number])[],
  [x, y]: readonly [number, number],
  { rotation = '0' }: Record<string, string>,
  where: string,
): number[] {
  const [degrees] = numbersIn({ rotation }, ['rotation'], where) as [number];
  const [sin, cos] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
  return points.flatMap(([right, down]) => [x + right * cos - down * sin, y + right * sin + down * cos]);
}

function polygonPoints({ points = '' }: Record<string, string>, where: string): number[] {
  const corners = points.split(';').filter((corner) => corner.trim() !== '');
  const numbers = corners.flatMap((corner) => {
    const [x, y, ...more] = corner.split(',').map(Number);
    if (Number.isFinite(x) && Number.isFinite(y) && more.length === 0) return [x as number, y as number];
    throw new DatasetError(`${where} has the point ${JSON.stringify(corner)}: expected x,y, so export it again`);
  });
  if (corners.length >= 3) return numbers;
  throw new DatasetError(
    `${where} has a polygon of ${corners.length} points: expected at least 3, so complete or remove it`,
  );
}

function boxPoints(attributes: Record<string, string>, where: string): number[] {
  const [left, top, right, bottom] = numbersIn(attributes, ['xtl', 'ytl', 'xbr', 'ybr'], where) as [
    number,
    number,
    number,
    number,
  ];
  const [x, y] = [(right - left) / 2, (bottom - top) / 2];
  const corners = [
    [-x, -y],
    [x, -y],
    [x, y],
    [-x, y],
  ] as const;
  return turnedPoints(corners, [left + x, top + y], attributes, where);
}

function ellipsePoints(attributes: Record<string, string>, where: string): number[] {
  const [cx, cy, rx, ry] = numbersIn(attributes, ['cx', 'cy', 'rx', 'ry'], where) as [number, number, number, number];
  const corners = Array.from({ length: ELLIPSE_CORNERS }, (_, i) => {
    const angle = (2 * Math.PI * i) / ELLIPSE_CORNERS;
    return [rx * Math.cos(angle), ry * Math.sin(angle)] as const;
  });
  return turnedPoints(corners, [cx, cy], attributes, where);
}

/** Draws a mask whose run lengths count pixels row by row in a box, beginning with unmarked ones. */
function drawRuns(canvas: Canvas, attributes: Record<string, string>, where: string): void {
  const box = numbersIn(attributes, ['left', 'top', 'width', 'height'], where);
  const [left, top, width, height] = box as [number, number, number, number];
  const isInside = left >= 0 && top >= 0 && left + width <= canvas.width && top + height <= canvas.height;
  if (!box.every(Number.isInteger) || width < 1 || height < 1 || !isInside) {
    throw new DatasetError(
      `${where} has a mask of ${width} x ${height} pixels at (${left}, ${top}) in an image of ${canvas.width} x ${canvas.height}: draw it again`,
    );
  }
  const runs = (attributes.rle ?? '').split(',').map((run) => (run.trim() === '' ? Number.NaN : Number(run)));
  const total = runs.reduce((sum, run) => sum + run, 0);
  if (!runs.every((run) => Number.isInteger(run) && run >= 0) || total !== width * height) {
    throw new DatasetError(
      `${where} has run lengths that do not add up to its ${width} x ${height} pixels: export it again`,
    );
  }
  let at = 0;
  for (const [i, run] of runs.entries()) {
    const end = at + run;
    while (i % 2 === 1 && at < end) {
      const row = Math.floor(at / width);
      const to = Math.min(end, (row + 1) * width);
      fillSpan(canvas, top + row, left + at - row * width, left + to - 1 - row * width);
      at = to;
    }
    at = end;
  }
}

const POINTS: Record<string, (attributes: Record<string, string>, where: string) => number[]> = {
  polygon: polygonPoints,
  box: boxPoints,
  ellipse: ellipsePoints,
};

/** Returns the shape of an element. Throws ERR_DATASET_INVALID for elements that mark no pixels. */
export function cvatShape({ name, attributes }: XmlElement, where: string): Shape {
  if (name === 'mask') return { where, draw: (canvas) => drawRuns(canvas, attributes, where) };
  const pointsOf = Object.hasOwn(POINTS, name) ? POINTS[name] : undefined;
  if (pointsOf) {
    const points = pointsOf(attributes, where);
    return { where, draw: (canvas) => fillPolygon(canvas, points, where) };
  }
  throw new DatasetError(
    `${where} is a ${name}, which does not mark pixels: expected a polygon, mask, box or ellipse, so draw one or remove it`,
  );
}
