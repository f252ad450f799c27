import { describe, expect, it } from 'vitest';
import { RawImage } from '../../lib/core/image.js';
import { isPlaceOf, type ObjectFrame, objectFrame, placeOn, pointOn } from '../../lib/dataset/object-frame.js';

const SIZE = { width: 240, height: 200 };
type Shape = (along: number, across: number) => boolean;
interface Pose {
  x: number;
  y: number;
  angle: number;
  /** -1 shows the back of the object. */
  side?: 1 | -1;
  scale?: number;
}

/** A screw lies along its axis: a wide head behind, and a long thread in front. */
const screw: Shape = (along, across) =>
  (along >= -40 && along < -28 && Math.abs(across) < 12) || (along >= -28 && along < 50 && Math.abs(across) < 5);
const bar: Shape = (along, across) => Math.abs(along) < 45 && Math.abs(across) < 6;
const disc: Shape = (along, across) => Math.hypot(along, across) < 40;

/** Draws a shape. A pixel of the mask can stand for several of the photograph. */
function drawn(shape: Shape, { x, y, angle, side = 1, scale = 1 }: Pose, shrink = 1): RawImage {
  const [width, height] = [SIZE.width / shrink, SIZE.height / shrink];
  const data = Uint8Array.from({ length: width * height }, (_, i) => {
    const [dx, dy] = [((i % width) + 0.5) * shrink - x, (Math.floor(i / width) + 0.5) * shrink - y];
    const along = (Math.cos(angle) * dx + Math.sin(angle) * dy) / scale;
    const across = (side * (Math.cos(angle) * dy - Math.sin(angle) * dx)) / scale;
    return shape(along, across) ? 255 : 0;
  });
  return new RawImage({ data, width, height, channels: 1 });
}

/** Returns the point of the photograph at a point of a shape. */
const pointOf = ({ x, y, angle, side = 1, scale = 1 }: Pose, along: number, across: number) => ({
  x: x + scale * (Math.cos(angle) * along - Math.sin(angle) * side * across),
  y: y + scale * (Math.sin(angle) * along + Math.cos(angle) * side * across),
});

const frameOf = (shape: Shape, pose: Pose, shrink = 1) => objectFrame(drawn(shape, pose, shrink), SIZE) as ObjectFrame;
const angles = [0, 0.4, 1.2, Math.PI / 2, 2.5, Math.PI, -0.7, -1.5, -2.8];
const poses: Pose[] = angles.map((angle, i) => ({ x: 110 + 3 * i, y: 90 + 2 * i, angle }));

/** Returns the difference of two angles, 0 to pi. */
const between = (a: number, b: number) => Math.abs(Math.atan2(Math.sin(a - b), Math.cos(a - b)));

describe('the frame of an object', () => {
  it.each(poses)('tells a place on a screw at any angle: %o', (pose) => {
    const frame = frameOf(screw, pose);
    expect(frame.axis).toBe('signed');
    expect(between(frame.angle, pose.angle)).toBeLessThan(0.02);
    const first = frameOf(screw, poses[0] as Pose);
    for (const [along, across] of [
      [-34, 8],
      [20, -4],
      [48, 0],
    ] as const) {
      const { x, y } = pointOf(pose, along, across);
      const place = placeOn(frame, x, y);
      const base = pointOf(poses[0] as Pose, along, across);
      const expected = placeOn(first, base.x, base.y);
      expect(place?.u).toBeCloseTo(expected?.u as number, 1);
      expect(Math.abs((place?.v as number) - (expected?.v as number))).toBeLessThan(0.2);
    }
  });

  it('takes a place from one screw to another, with the direction there', () => {
    for (const from of poses) {
      for (const to of [...poses, { x: 120, y: 100, angle: 0.9, scale: 0.8 }]) {
        const point = pointOf(from, -34, 8);
        const place = placeOn(frameOf(screw, from), point.x, point.y);
        const { x, y, turn } = pointOn(frameOf(screw, to), place as never, false);
        const expected = pointOf(to, -34, 8);
        expect(Math.hypot(x - expected.x, y - expected.y)).toBeLessThan(2);
        expect(between(turn as number, to.angle - from.angle)).toBeLessThan(0.04);
      }
    }
  });

  it('points to the same end where the screw shows its other side', () => {
    for (const pose of poses) {
      const [front, back] = [frameOf(screw, pose), frameOf(screw, { ...pose, side: -1 })];
      expect(between(front.angle, back.angle)).toBeLessThan(0.02);
      const point = pointOf({ ...pose, side: -1 }, -34, 8);
      // The other side has the place on the other side of the axis.
      expect(placeOn(back, point.x, point.y)?.u).toBeLessThan(-1);
      expect(placeOn(back, point.x, point.y)?.v).toBeLessThan(-1);
    }
  });

  it('knows of a bar that its ends cannot be told apart, and can point either way', () => {
    for (const pose of poses) {
      const frame = frameOf(bar, pose);
      expect(frame.axis).toBe('unsigned');
      const point = pointOf(pose, 35, 3);
      const place = placeOn(frame, point.x, point.y);
      const one = pointOn(frame, place as never, false);
      const other = pointOn(frame, place as never, true);
      expect(Math.hypot(one.x - point.x, one.y - point.y)).toBeLessThan(1e-6);
      expect(one.turn).toBe(0);
      const opposite = pointOf(pose, -35, -3);
      expect(Math.hypot(other.x - opposite.x, other.y - opposite.y)).toBeLessThan(2);
      expect(other.turn).toBeCloseTo(Math.PI);
    }
  });

  it('uses the box around an object without a main axis', () => {
    const frame = frameOf(disc, { x: 100, y: 80, angle: 0.3 });
    expect(frame).toMatchObject({ axis: 'none', angle: 0, middle: { x: 100, y: 80 } });
    const place = placeOn(frame, 140, 80);
    expect(place?.u).toBeCloseTo(Math.sqrt(3)); // The border of the box is half a side from its middle.
    const other = frameOf(disc, { x: 120, y: 100, angle: 2, scale: 0.5 });
    expect(pointOn(other, place as never, false)).toEqual({ x: expect.closeTo(140), y: expect.closeTo(100) });
    expect(isPlaceOf(other, place as never)).toBe(true);
    expect(isPlaceOf(frameOf(bar, { x: 100, y: 80, angle: 0.3 }), place as never)).toBe(false);
  });

  it('does not depend on the size of the mask', () => {
    const pose = { x: 110, y: 95, angle: 0.5 };
    const [large, small] = [frameOf(screw, pose), frameOf(screw, pose, 2)];
    expect(small.middle.x).toBeCloseTo(large.middle.x, 0);
    expect(between(small.angle, large.angle)).toBeLessThan(0.03);
    expect(Math.abs(small.spreads[1] / large.spreads[1] - 1)).toBeLessThan(0.1);
  });

  it('stays finite for lines and dots, and is absent for nothing, for surfaces and for defects beside the object', () => {
    const line = frameOf((along, across) => Math.abs(along) < 30 && Math.abs(across) < 0.5, {
      x: 100,
      y: 80.5,
      angle: 0,
    });
    expect(line.spreads[1]).toBeGreaterThan(0.2);
    expect(placeOn(line, 100, 180)).toBeUndefined();
    const dot = frameOf((along, across) => Math.hypot(along, across) < 0.8, { x: 100.5, y: 80.5, angle: 0 });
    expect(dot).toMatchObject({ axis: 'none', middle: { x: 100.5, y: 80.5 } });
    expect(dot.spreads[0]).toBeGreaterThan(0);
    expect(
      objectFrame(
        drawn(() => false, { x: 0, y: 0, angle: 0 }),
        SIZE,
      ),
    ).toBeUndefined();
    expect(
      objectFrame(
        drawn((_, y) => y < 185, { x: 0, y: 0, angle: 0 }),
        SIZE,
      ),
    ).toBeUndefined();
    expect(
      objectFrame(
        drawn((_, y) => y < 170, { x: 0, y: 0, angle: 0 }),
        SIZE,
      ),
    ).toBeDefined();
  });
});
