// The masks of test/data/annotation-masks.json are those of pycocotools, labelme and OpenCV. scripts/compare/compare_masks.py made
// them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Canvas, Shape } from '../../lib/dataset/formats/canvas.js';
import { polygonShape, runsShape } from '../../lib/dataset/formats/coco.js';
import { labelmeShape } from '../../lib/dataset/formats/labelme-shapes.js';
import { fillWithBorder } from '../../lib/dataset/formats/yolo-polygon.js';

interface Case {
  kind: string;
  width: number;
  height: number;
  shape: unknown;
  bits: string;
}
const file = join(import.meta.dirname, '..', 'data', 'annotation-masks.json');
const cases = JSON.parse(readFileSync(file, 'utf8')) as Case[];

const shapesOf = ({ kind, shape }: Case): Shape[] => {
  if (kind.startsWith('yolo')) {
    const shares = shape as number[];
    const pixels = ({ width, height }: Canvas) => shares.map((value, i) => value * (i % 2 === 0 ? width : height));
    return [{ draw: (canvas) => fillWithBorder(canvas, pixels(canvas), kind) }];
  }
  if (kind === 'coco polygon') return (shape as number[][]).map((points) => polygonShape(points, kind));
  if (kind.startsWith('coco')) return [runsShape(shape, kind)];
  const points = shape as [number, number][];
  return [labelmeShape({ label: 'defect', shape_type: kind.split(' ')[1] as string, points }, kind)];
};

describe('masks of annotations', () => {
  it.each(cases.map((one, i) => [`${one.kind}, case ${i}`, one] as const))('%s', async (_, one) => {
    const { width, height, bits } = one;
    const canvas: Canvas = { data: new Uint8Array(width * height), width, height };
    for (const shape of shapesOf(one)) await shape.draw(canvas);
    const packed = Buffer.from(bits, 'base64');
    const expected = canvas.data.map((_value, i) => (((packed[i >> 3] as number) >> (7 - (i & 7))) & 1) * 255);
    expect([...canvas.data]).toEqual([...expected]);
  });

  it('are those of every kind of shape', () => {
    expect(new Set(cases.map(({ kind }) => kind)).size).toBe(10);
  });
});
