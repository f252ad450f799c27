/** Describes objects in photographs by frames of their own, so that a place on one object can be found on another. */
import { coverageOf, type PixelData } from '../core/image.js';
import { middleOf, type Size } from './cut.js';
import type { Position } from './example-file.js';
import { boundingBox } from './fit.js';

/** The foreground of an object covers less than this share of a photograph. A larger one is a surface. */
const SURFACE_SHARE = 0.9;

/** An object is elongated if its spreads along both axes have more than this ratio. */
const ELONGATED = 1.3;

/** The ends of an object can be told apart if the skewness along its main axis is at least this. */
const MIN_SKEWNESS = 0.1;

/** A defect that is farther than this from the middle of an object does not lie on it. The unit is the spread. */
export const MAX_SPREADS = 10;

/** A box that is filled evenly has this spread, as a share of its side. */
export const BOX_SPREAD = Math.sqrt(1 / 12);

/** The frame of an object: its axes and its middle. */
export interface ObjectFrame {
  axis: ObjectPlace['axis'];
  /** As in places. The other axis lies a quarter turn further. */
  angle: number;
  /** The object's middle, in pixels of the photograph. */
  middle: { x: number; y: number };
  /** The standard deviations of the object's pixels along both axes, in pixels of the photograph. */
  spreads: readonly [number, number];
}

/** A place on an object. It holds the axes of the object's frame, so that it can be found on another object. */
export interface ObjectPlace {
  /**
   * The knowledge of the object's main axis. It is `none` for an object that is about as wide as long: the axes are then
   * those of the photograph. It is `signed` if the object's ends can be told apart.
   */
  axis: 'none' | 'unsigned' | 'signed';
  /** The direction of the main axis, in radians from the axis of the columns (x) towards that of the rows (y). */
  angle: number;
  /** The distance from the object's middle along its main axis, in spreads. */
  u: number;
  /** The distance along the other axis, in spreads. */
  v: number;
}

/** The place of a defect on an object. */
export interface DefectOnObject extends ObjectPlace {
  /** The share of the defect that lies on the object, above 0. Defects of an edge may lie beyond it in part. */
  inside: number;
}

/** The position of a defect in its photograph, and on the object there, if the photograph shows one. */
export interface DefectPosition extends Position {
  object?: DefectOnObject;
}

/** The middle of an object, and the variances and the covariance of its pixels, in pixels of the photograph. */
interface Moments {
  middle: { x: number; y: number };
  xx: number;
  yy: number;
  xy: number;
}

/** Calls `visit` with the middle of each marked pixel, in pixels of the photograph. */
function eachMarked(mask: PixelData, photograph: Size, visit: (x: number, y: number) => void): void {
  const [across, down] = [photograph.width / mask.width, photograph.height / mask.height];
  for (let y = 0, i = 0; y < mask.height; y++) {
    for (let x = 0; x < mask.width; x++, i++) {
      if ((mask.data[i] as number) >= 128) visit((x + 0.5) * across, (y + 0.5) * down);
    }
  }
}

function momentsOf(mask: PixelData, photograph: Size): Moments {
  let [count, x, y] = [0, 0, 0];
  eachMarked(mask, photograph, (atX, atY) => {
    count++;
    x += atX;
    y += atY;
  });
  const middle = { x: x / count, y: y / count };
  let [xx, yy, xy] = [0, 0, 0];
  eachMarked(mask, photograph, (atX, atY) => {
    const [dx, dy] = [atX - middle.x, atY - middle.y];
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  });
  // A pixel is a small box and no point. Its own spread keeps that of a thin line above 0.
  const ofPixel = (side: number, pixels: number) => (BOX_SPREAD * side) / pixels;
  return {
    middle,
    xx: xx / count + ofPixel(photograph.width, mask.width) ** 2,
    yy: yy / count + ofPixel(photograph.height, mask.height) ** 2,
    xy: xy / count,
  };
}

/** Returns the third moment of an object along an axis through its middle, in units of the spread. */
function skewnessAlong(angle: number, mask: PixelData, photograph: Size, { x, y }: Moments['middle'], spread: number) {
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  let [count, sum] = [0, 0];
  eachMarked(mask, photograph, (atX, atY) => {
    count++;
    sum += ((cosine * (atX - x) + sine * (atY - y)) / spread) ** 3;
  });
  return sum / count;
}

/**
 * Returns the frame of the object that a mask marks. The mask may be smaller than its photograph. Returns undefined for
 * a mask that marks nothing, or a surface: at least 90 % of the photograph.
 */
export function objectFrame(mask: PixelData, photograph: Size): ObjectFrame | undefined {
  const box = boundingBox(mask);
  if (!box || coverageOf(mask) >= SURFACE_SHARE) return undefined;
  const { middle, xx, yy, xy } = momentsOf(mask, photograph);
  // These are the eigenvalues of the covariance, and the angle of the larger one's eigenvector.
  const root = Math.hypot((xx - yy) / 2, xy);
  const spreads = [Math.sqrt((xx + yy) / 2 + root), Math.sqrt(Math.max((xx + yy) / 2 - root, 0))] as const;
  if (spreads[0] <= ELONGATED * spreads[1]) {
    const [across, down] = [photograph.width / mask.width, photograph.height / mask.height];
    const { x, y } = middleOf(box);
    return {
      ...{ axis: 'none', angle: 0, middle: { x: x * across, y: y * down } },
      spreads: [BOX_SPREAD * box.width * across, BOX_SPREAD * box.height * down],
    };
  }
  const angle = Math.atan2(2 * xy, xx - yy) / 2;
  const skewness = skewnessAlong(angle, mask, photograph, middle, spreads[0]);
  const axis = Math.abs(skewness) < MIN_SKEWNESS ? 'unsigned' : 'signed';
  // The main axis of a signed frame points to the end that reaches farther.
  const isBackwards = axis === 'signed' && skewness < 0;
  return { axis, angle: isBackwards ? angle - Math.sign(angle || 1) * Math.PI : angle, middle, spreads };
}

/** Returns the place of a point of the photograph on an object. Returns undefined for a point that is far from it. */
export function placeOn({ axis, angle, middle, spreads }: ObjectFrame, x: number, y: number): ObjectPlace | undefined {
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const [dx, dy] = [x - middle.x, y - middle.y];
  const u = (cosine * dx + sine * dy) / spreads[0];
  const v = (cosine * dy - sine * dx) / spreads[1];
  return Math.abs(u) <= MAX_SPREADS && Math.abs(v) <= MAX_SPREADS ? { u, v, angle, axis } : undefined;
}

/** Returns true if a place means something on an object: either both have a main axis, or neither has one. */
export const isPlaceOf = (frame: ObjectFrame, place: ObjectPlace): boolean =>
  (frame.axis === 'none') === (place.axis === 'none');

/**
 * Returns the point of the photograph that a place has on an object. `turn` is the angle from the axis of the place's
 * own object to that of this one. It is undefined for objects without a main axis. With `isReversed`, the main axis of
 * this object points the other way.
 */
export function pointOn(
  { axis, angle, middle, spreads }: ObjectFrame,
  place: ObjectPlace,
  isReversed: boolean,
): { x: number; y: number; turn: number | undefined } {
  const along = isReversed ? angle + Math.PI : angle;
  const [cosine, sine] = [Math.cos(along), Math.sin(along)];
  const [u, v] = [place.u * spreads[0], place.v * spreads[1]];
  return {
    x: middle.x + cosine * u - sine * v,
    y: middle.y + sine * u + cosine * v,
    turn: axis === 'none' ? undefined : along - place.angle,
  };
}
