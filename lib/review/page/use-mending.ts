/** The state of a mask that is mended: its pixels, its history, the tool, and the cursor. */
import { useMemo, useRef, useState } from 'preact/hooks';
import type { Box } from '../../components/pair.js';
import { type DrawnMask, drawnMask } from './drawing.js';
import { History } from './history.js';
import { areaOf, clearComponent, drawLine, MARKED, type Mask, type Point, spread } from './mask.js';
import type { StagePointer } from './stage.js';

/** `move` moves the picture, which needs a tool of its own on a touch screen. */
export type Tool = 'brush' | 'eraser' | 'move';

export const SIZES = [1, 2, 3, 5, 8, 12, 20, 32, 50, 80] as const;

interface Cursor extends Point {
  isMovedByKeys: boolean;
}

export interface Mending {
  mask: Mask;
  drawn: DrawnMask;
  /** The number of marked pixels. */
  area: number;
  tool: Tool;
  size: number;
  cursor: Cursor;
  /** True if the cursor draws when keys move it. */
  isPenDown: boolean;
  canUndo: boolean;
  canRedo: boolean;
  /** It is undefined while the pointer moves the picture. */
  pointer: StagePointer | undefined;
  setTool(tool: Tool): void;
  /** Takes the next larger size for 1, or the next smaller one for -1. */
  changeSize(step: 1 | -1): void;
  moveCursor(dx: number, dy: number): void;
  togglePen(): void;
  spread(value: number): void;
  clearComponent(): void;
  undo(): void;
  redo(): void;
}

/** Returns the centre of the pixel that a point is in, or of the nearest one if it is outside of the mask. */
function centreNear({ x, y }: Point, { width, height }: Mask): Point {
  const centre = (at: number, length: number) => Math.min(Math.max(Math.floor(at), 0), length - 1) + 0.5;
  return { x: centre(x, width), y: centre(y, height) };
}

/** Starts to mend a copy of `original`. The cursor begins in the middle of `box`, or of the mask. */
export function useMending(original: Mask, box?: Box): Mending {
  const history = useMemo(() => new History({ ...original, data: original.data.slice() }), [original]);
  const { mask } = history;
  const [tool, setTool] = useState<Tool>('brush');
  const [sizeIndex, setSizeIndex] = useState(SIZES.indexOf(8));
  const [cursor, setCursor] = useState<Cursor>(() => {
    const { left, top, width, height } = box ?? { left: 0, top: 0, ...mask };
    return { ...centreNear({ x: left + width / 2, y: top + height / 2 }, mask), isMovedByKeys: false };
  });
  const [isPenDown, setPenDown] = useState(false);
  const [version, setVersion] = useState(0);
  /** The mask before the stroke that the pointer draws, and the end of the stroke. */
  const stroke = useRef<{ before: Uint8Array; end: Point } | undefined>(undefined);
  const size = SIZES[sizeIndex] as number;
  const isDrawing = stroke.current !== undefined;
  const drawn = useMemo(() => drawnMask(mask, !isDrawing), [mask, version, isDrawing]);
  const area = useMemo(() => areaOf(mask), [mask, version]);

  const redraw = () => setVersion((last) => last + 1);
  const change = (edit: () => void) => {
    const before = mask.data.slice();
    edit();
    history.record(before);
    redraw();
  };
  const line = (from: Point, to: Point) => drawLine(mask, from, to, size, tool === 'eraser' ? 0 : MARKED);

  const pointer: StagePointer = {
    onDown(point) {
      const end = centreNear(point, mask);
      stroke.current = { before: mask.data.slice(), end };
      line(end, end);
      setPenDown(false);
      setCursor({ ...end, isMovedByKeys: false });
      redraw();
    },
    onMove(point) {
      const end = centreNear(point, mask);
      setCursor({ ...end, isMovedByKeys: false });
      if (!stroke.current) return;
      line(stroke.current.end, end);
      stroke.current.end = end;
      redraw();
    },
    onUp() {
      if (stroke.current) history.record(stroke.current.before);
      stroke.current = undefined;
      redraw();
    },
  };

  return {
    ...{ mask, drawn, area, tool, size, cursor, isPenDown, setTool },
    canUndo: history.canUndo,
    canRedo: history.canRedo,
    pointer: tool === 'move' ? undefined : pointer,
    changeSize: (step) => setSizeIndex((at) => Math.min(Math.max(at + step, 0), SIZES.length - 1)),
    moveCursor(dx, dy) {
      const end = centreNear({ x: cursor.x + dx, y: cursor.y + dy }, mask);
      if (isPenDown && tool !== 'move') change(() => line(cursor, end));
      setCursor({ ...end, isMovedByKeys: true });
    },
    togglePen() {
      if (!isPenDown && tool !== 'move') change(() => line(cursor, cursor));
      setPenDown(!isPenDown);
    },
    spread: (value) => change(() => spread(mask, value)),
    clearComponent: () => change(() => clearComponent(mask, cursor)),
    undo() {
      history.undo();
      redraw();
    },
    redo() {
      history.redo();
      redraw();
    },
  };
}
