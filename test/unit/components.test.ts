import { describe, expect, it } from 'vitest';
import { boxAround, defectsIn } from '../../lib/dataset/components.js';

/** A mask of the pixels that `marks` returns true for. */
function maskOf(width: number, height: number, marks: (x: number, y: number) => boolean) {
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) if (marks(x, y)) data[y * width + x] = 255;
  return { data, width, height, channels: 1 as const };
}
const within = (x: number, y: number, left: number, top: number, width: number, height: number) =>
  x >= left && x < left + width && y >= top && y < top + height;

/** Finds the same defects slowly: every pixel spreads to all pixels within the gap. */
function slowly({ data, width, height }: ReturnType<typeof maskOf>, gap: number) {
  const seen = new Uint8Array(data.length);
  const found: { area: number; box: object }[] = [];
  for (let start = 0; start < data.length; start++) {
    if (data[start] === 0 || seen[start]) continue;
    const pixels = [start];
    seen[start] = 1;
    for (const pixel of pixels) {
      const [x, y] = [pixel % width, Math.floor(pixel / width)];
      for (let v = Math.max(0, y - gap); v <= Math.min(height - 1, y + gap); v++) {
        for (let u = Math.max(0, x - gap); u <= Math.min(width - 1, x + gap); u++) {
          const other = v * width + u;
          if (data[other] === 0 || seen[other]) continue;
          seen[other] = 1;
          pixels.push(other);
        }
      }
    }
    const [xs, ys] = [pixels.map((p) => p % width), pixels.map((p) => Math.floor(p / width))];
    const [left, top] = [Math.min(...xs), Math.min(...ys)];
    const box = { left, top, width: Math.max(...xs) - left + 1, height: Math.max(...ys) - top + 1 };
    found.push({ area: pixels.length, box });
  }
  const largest = Math.max(0, ...found.map(({ area }) => area));
  return found.filter(({ area }) => area >= 0.02 * largest);
}

describe('defectsIn', () => {
  it('finds the defects that a slow search finds, in random masks', () => {
    let state = 1;
    const random = () => {
      state = (state * 48271) % 2147483647;
      return state / 2147483647;
    };
    for (const share of [0.005, 0.02, 0.05, 0.3]) {
      const mask = maskOf(61, 47, () => random() < share);
      const found = defectsIn(mask).map(({ box, area }) => ({ area, box }));
      expect(found.length).toBeGreaterThan(0);
      expect(found).toEqual(slowly(mask, 3));
    }
  });

  it('joins what is close, keeps apart what is not, and finds nothing in an empty mask', () => {
    const two = (space: number) =>
      maskOf(64, 64, (x, y) => within(x, y, 5, 10, 10, 4) || within(x, y, 15 + space, 10, 10, 4));
    expect(defectsIn(two(2))).toHaveLength(1);
    expect(defectsIn(two(2))[0]).toMatchObject({ box: { left: 5, top: 10, width: 22, height: 4 }, area: 80 });
    expect(defectsIn(two(3))).toHaveLength(2);
    expect(defectsIn(maskOf(9, 7, () => false))).toEqual([]);
    expect(defectsIn(maskOf(9, 7, () => true))).toMatchObject([{ box: { width: 9, height: 7 }, area: 63 }]);
  });

  it('joins rings and spirals, whose runs meet late', () => {
    const isOnRing = (x: number, y: number) => {
      const distance = Math.hypot(x - 30, y - 30);
      return (distance < 25 && distance > 23) || distance < 4;
    };
    expect(defectsIn(maskOf(61, 61, isOnRing))).toHaveLength(2);
    const isInComb = (x: number, y: number) => (y < 50 ? x % 8 === 0 : y === 50);
    expect(defectsIn(maskOf(64, 64, isInComb))).toHaveLength(1);
  });

  it('leaves out specks beside a defect, but not small defects of their own', () => {
    const crack = maskOf(128, 128, (x, y) => within(x, y, 10, 10, 60, 5) || within(x, y, 100, 100, 2, 2));
    expect(defectsIn(crack)).toHaveLength(1);
    const dots = maskOf(128, 128, (x, y) => within(x, y, 10, 10, 2, 2) || within(x, y, 100, 100, 2, 1));
    expect(defectsIn(dots)).toHaveLength(2);
  });

  it('keeps every run of a row apart at the border of the image', () => {
    const mask = maskOf(20, 4, (x) => x === 0 || x === 19); // The end of a row touches the start of the next one in memory.
    expect(defectsIn(mask).map(({ box }) => box)).toEqual([
      { left: 0, top: 0, width: 1, height: 4 },
      { left: 19, top: 0, width: 1, height: 4 },
    ]);
  });

  it('finds the box around runs', () => {
    const runs = [
      { y: 3, start: 5, end: 9 },
      { y: 4, start: 2, end: 3 },
    ];
    expect(boxAround(runs)).toEqual({ left: 2, top: 3, width: 7, height: 2 });
  });
});
