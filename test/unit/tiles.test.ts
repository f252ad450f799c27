import { describe, expect, it } from 'vitest';
import { MergedMap } from '../../lib/detect/merged-map.js';
import { coveringTiles, defectTiles, goodTiles, type Photograph, startsOf } from '../../lib/detect/tiles.js';

/** A photograph whose red and green are the position of each pixel, with a box of a defect. */
function photographOf(width: number, height: number, box: { left: number; top: number; side: number }): Photograph {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return [pixel % width, Math.floor(pixel / width), 7][i % 3] as number;
  });
  const isMarked = (x: number, y: number) =>
    x >= box.left && x < box.left + box.side && y >= box.top && y < box.top + box.side;
  const mask = Uint8Array.from({ length: width * height }, (_, i) =>
    isMarked(i % width, Math.floor(i / width)) ? 255 : 0,
  );
  return { image: { data, width, height, channels: 3 }, mask: { data: mask, width, height, channels: 1 } };
}

describe('covering tiles', () => {
  it.each([
    [32, 32, [0]],
    [33, 32, [0, 1]],
    [64, 32, [0, 16, 32]],
    [70, 32, [0, 13, 25, 38]],
    [20, 32, [-6]], // A smaller photograph is in the middle of its tile.
  ])('along %i pixels start at most half a tile of %i apart and end at the border', (extent, size, starts) => {
    expect(startsOf(extent, size)).toEqual(starts);
  });

  it('cover every pixel of a photograph', () => {
    const [width, height, size] = [77, 45, 32];
    const seen = new Set<number>();
    for (const { left, top } of coveringTiles({ width, height }, size)) {
      for (let y = top; y < top + size; y++) for (let x = left; x < left + size; x++) seen.add(y * width + x);
    }
    expect(seen.size).toBe(width * height);
  });
});

describe('a merged map', () => {
  it.each([
    [77, 45],
    [32, 32],
    [20, 50],
    [9, 7],
  ])('of %i x %i pixels is the map itself if every tile shows a part of it', (width, height) => {
    const size = 32;
    const whole = Float32Array.from({ length: width * height }, (_, i) => ((i * 37) % 101) / 101);
    const merged = new MergedMap(width, height, size);
    for (const place of coveringTiles({ width, height }, size)) {
      const { left, top } = place;
      const tile = Float32Array.from({ length: size * size }, (_, i) => {
        const [x, y] = [left + (i % size), top + Math.floor(i / size)];
        return x >= 0 && y >= 0 && x < width && y < height ? (whole[y * width + x] as number) : 99; // beyond the border
      });
      merged.add(tile, place);
    }
    const values = merged.values();
    expect(Math.max(...values.map((value, i) => Math.abs(value - (whole[i] as number))))).toBeLessThan(1e-6);
  });

  it('gives the middle of a tile more weight than its border', () => {
    const merged = new MergedMap(6, 4, 4);
    merged.add(new Float32Array(16).fill(0), { left: 0, top: 0 });
    merged.add(new Float32Array(16).fill(1), { left: 2, top: 0 });
    const [, , third, fourth] = merged.values();
    // Along a tile of 4 pixels the weights are 1 : 2 : 2 : 1.
    expect(third).toBeCloseTo(1 / 3, 6);
    expect(fourth).toBeCloseTo(2 / 3, 6);
  });
});

describe('tiles to train on', () => {
  const size = 32;
  const photograph = photographOf(90, 60, { left: 80, top: 3, side: 4 });

  it('hold the defect or a part of it, each with its own pixels and mask', async () => {
    const tiles = await defectTiles(photograph, size, { count: 12, key: 'a' });
    expect(tiles).toHaveLength(12);
    const places = tiles.map(({ pixels }) => `${pixels[0]},${pixels[1]}`);
    expect(new Set(places).size).toBeGreaterThan(3);
    for (const { pixels, mask } of tiles) {
      expect(mask.some((value) => value === 255)).toBe(true);
      for (let i = 0; i < size * size; i++) {
        const [x, y] = [pixels[3 * i] as number, pixels[3 * i + 1] as number];
        expect(mask[i]).toBe(photograph.mask.data[y * 90 + x]);
        expect([x, y]).toEqual([(pixels[0] as number) + (i % size), (pixels[1] as number) + Math.floor(i / size)]);
      }
    }
    expect(await defectTiles(photograph, size, { count: 12, key: 'a' })).toEqual(tiles);
    expect(await defectTiles(photograph, size, { count: 12, key: 'b' })).not.toEqual(tiles);
  });

  it('elsewhere hold nothing of the defect', async () => {
    const tiles = await goodTiles(photograph, size, { count: 8, key: 'a' });
    expect(tiles).toHaveLength(8);
    for (const { mask } of tiles) expect(mask.every((value) => value === 0)).toBe(true);
  });

  it('are none of an empty mask, and none elsewhere if the defect is everywhere', async () => {
    const empty = photographOf(40, 40, { left: 0, top: 0, side: 0 });
    expect(await defectTiles(empty, size, { count: 4, key: 'a' })).toEqual([]);
    const full = photographOf(40, 40, { left: 0, top: 0, side: 40 });
    expect(await goodTiles(full, size, { count: 4, key: 'a' })).toEqual([]);
  });

  it('of a photograph that is smaller show it mirrored at its border, with its mask', async () => {
    const small = photographOf(16, 40, { left: 5, top: 20, side: 2 });
    const [tile] = await defectTiles(small, size, { count: 1, key: 'a' });
    const row = Array.from({ length: size }, (_, x) => tile?.pixels[3 * x]);
    const forth = Array.from({ length: 16 }, (_, x) => x);
    const back = [...forth].reverse();
    expect(row).toEqual([...back.slice(8), ...forth, ...back.slice(0, 8)]);
  });
});
