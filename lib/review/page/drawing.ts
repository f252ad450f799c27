/** Draws pictures and masks on a canvas. */
import { type Mask, outlineOf, type Point } from './mask.js';
import type { Size, Transform } from './viewport.js';

/** The colour of masks: red, because hardly any product is as red. The outline has a dark border for the others. */
const TINT = [255, 40, 40, 110] as const;
const [OUTLINE, BORDER] = ['#ff3b30', '#000a'];

/** A mask in the forms that are drawn. */
export interface DrawnMask {
  tint: OffscreenCanvas;
  /** It is absent while a stroke is drawn, because it takes long to find. */
  outline?: Path2D;
}

export function drawnMask(mask: Mask, withOutline = true): DrawnMask {
  const { data, width, height } = mask;
  const tint = new OffscreenCanvas(width, height);
  const pixels = new ImageData(width, height);
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) pixels.data.set(TINT, 4 * i);
  (tint.getContext('2d') as OffscreenCanvasRenderingContext2D).putImageData(pixels, 0, 0);
  if (!withOutline) return { tint };
  const outline = new Path2D();
  for (const [x1, y1, x2, y2] of outlineOf(mask)) {
    outline.moveTo(x1, y1);
    outline.lineTo(x2, y2);
  }
  return { tint, outline };
}

/** The brush at its place. */
export interface DrawnCursor extends Point {
  /** The diameter in pixels of the picture. */
  size: number;
  /** True if keys moved it. The view then follows it. */
  isMovedByKeys: boolean;
}

export interface Drawing {
  image: HTMLImageElement;
  mask: DrawnMask | undefined;
  withOverlay: boolean;
  withOutline: boolean;
  cursor: DrawnCursor | undefined;
}

/** Strokes a path twice, so that it is visible on light and on dark ground. `scale` is the transform's. */
function strokeTwice(context: CanvasRenderingContext2D, path: Path2D, scale: number, colour: string): void {
  for (const [style, width] of [[BORDER, 2.5] as const, [colour, 1.2] as const]) {
    context.strokeStyle = style;
    context.lineWidth = width / scale;
    context.stroke(path);
  }
}

/** Draws a picture into a canvas, whose size follows the view and the pixels of the screen. */
export function draw(canvas: HTMLCanvasElement, view: Size, transform: Transform, drawing: Drawing): void {
  const ratio = window.devicePixelRatio;
  canvas.width = Math.round(view.width * ratio);
  canvas.height = Math.round(view.height * ratio);
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  const { image, mask, withOverlay, withOutline, cursor } = drawing;
  const { scale, left, top } = transform;
  context.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * left, ratio * top);
  // Enlarged pixels stay squares, because somebody who zooms in wants to see the pixels.
  context.imageSmoothingEnabled = scale * ratio < 1;
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, 0, 0);
  context.lineCap = 'square';
  if (mask && withOverlay) context.drawImage(mask.tint, 0, 0);
  if (mask?.outline && withOutline) strokeTwice(context, mask.outline, scale, OUTLINE);
  if (cursor) {
    const { x, y, size } = cursor;
    const path = new Path2D();
    path.arc(x, y, size / 2, 0, 2 * Math.PI);
    const gap = size / 2 + 3 / scale;
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ] as const) {
      path.moveTo(x + dx * gap, y + dy * gap);
      path.lineTo(x + dx * (gap + 6 / scale), y + dy * (gap + 6 / scale));
    }
    strokeTwice(context, path, scale, '#fff');
  }
}

/** Encodes a mask as a grey PNG file of 0 and 255. */
export function encodeMask({ data, width, height }: Mask): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const pixels = new ImageData(width, height);
  for (let i = 0; i < data.length; i++) {
    const level = data[i] as number;
    pixels.data.set([level, level, level, 255], 4 * i);
  }
  (canvas.getContext('2d') as OffscreenCanvasRenderingContext2D).putImageData(pixels, 0, 0);
  return canvas.convertToBlob({ type: 'image/png' });
}
