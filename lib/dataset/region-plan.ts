/** Plans which regions of a photograph training cuts its windows out of. */
import { boxAround, type Defect, type Run } from './components.js';
import type { Box, Size } from './cut.js';
import { windowAround } from './photograph-window.js';

/** A span of pixels along one axis. It may begin before the photograph. */
interface Span {
  from: number;
  extent: number;
}

/**
 * A defect that is larger than a window is cut into pieces of at most this share of a window, so that every window shows
 * a whole piece together with what surrounds it.
 */
const PIECE_SHARE = 0.5;

/** Returns the number of pieces along one axis. */
const piecesAlong = (extent: number, window: number): number =>
  extent <= window ? 1 : Math.ceil(extent / (PIECE_SHARE * window));

/**
 * Returns the boxes around the pieces of a defect, none of which is larger than a window. A defect that fits into a
 * window is one piece.
 */
export function piecesOf({ box, runs }: Pick<Defect, 'box' | 'runs'>, window: number): Box[] {
  const columns = piecesAlong(box.width, window);
  const rows = piecesAlong(box.height, window);
  if (columns * rows === 1) return [box];
  const pieces = new Map<number, Run[]>();
  for (const { y, start, end } of runs) {
    const row = Math.floor(((y - box.top) * rows) / box.height);
    for (let at = start; at < end; ) {
      const column = Math.floor(((at - box.left) * columns) / box.width);
      const to = Math.min(end, box.left + Math.ceil(((column + 1) * box.width) / columns));
      const key = row * columns + column;
      const own = pieces.get(key) ?? [];
      own.push({ y, start: at, end: to });
      pieces.set(key, own);
      at = to;
    }
  }
  return [...pieces.values()].map(boxAround);
}

/** Returns the span that holds every window with all of [start, start + extent) inside a photograph. */
function spanAround(start: number, extent: number, photograph: number, window: number): Span {
  // A photograph that is smaller than a window is mirrored on both sides.
  if (photograph <= window) return { from: Math.floor((photograph - window) / 2), extent: window };
  const from = Math.max(0, start + extent - window);
  return { from, extent: Math.min(photograph, start + window) - from };
}

const boxOf = (x: Span, y: Span): Box => ({ left: x.from, top: y.from, width: x.extent, height: y.extent });

/**
 * Returns the region of a photograph that holds every window of `window` pixels with all of `piece`. It reaches beyond
 * the photograph only where that is smaller than a window.
 */
export function regionAround(piece: Box, { width, height }: Size, window: number): Box {
  return boxOf(spanAround(piece.left, piece.width, width, window), spanAround(piece.top, piece.height, height, window));
}

/** Returns the window in whose middle a piece is, as far as the photograph's border allows. */
export function squareAround({ left, top, width, height }: Box, photograph: Size, window: number): Box {
  const at = windowAround(left + width / 2, top + height / 2, window, photograph);
  return { left: at.left, top: at.top, width: window, height: window };
}

/** These steps spread points evenly over a square (Roberts's R2 sequence). */
const R2_STEPS = [0.7548776662466927, 0.5698402909980532] as const;

/**
 * Returns the box that photograph number `index` contributes where no defect says where. Its sides have `smallest` to
 * `largest` pixels. Together the boxes of many photographs cover all places evenly. A box reaches beyond the photograph
 * only where that has less than `smallest` pixels.
 */
export function boxWithoutDefect(index: number, { width, height }: Size, smallest: number, largest: number): Box {
  const along = (photograph: number, step: number): Span => {
    const extent = Math.min(Math.max(photograph, smallest), largest);
    const room = photograph - extent;
    const from = room <= 0 ? Math.floor(room / 2) : Math.floor((((index + 0.5) * step) % 1) * (room + 1));
    return { from, extent };
  };
  return boxOf(along(width, R2_STEPS[0]), along(height, R2_STEPS[1]));
}

/** Returns at most `most` of the values, evenly chosen. */
export function evenly<T>(values: readonly T[], most: number): T[] {
  if (values.length <= most) return [...values];
  return Array.from({ length: most }, (_, i) => values[Math.floor((i * values.length) / most)] as T);
}
