import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { html } from '../../components/html.js';
import { type DrawnCursor, type DrawnMask, draw } from './drawing.js';
import type { Point } from './mask.js';
import type { Loaded } from './use-loaded.js';
import { panned, revealed, type Size, transformOf, type Viewport, zoomedAt } from './viewport.js';

/** What the pointer does on a picture, in the picture's pixels. */
export interface StagePointer {
  onMove(point: Point): void;
  onDown(point: Point): void;
  onUp(): void;
}

export interface StageProps {
  /** Describes the picture to those who do not see it. */
  label: string;
  image: Loaded<HTMLImageElement>;
  mask?: DrawnMask | undefined;
  withOverlay?: boolean;
  withOutline?: boolean;
  viewport: Viewport;
  onViewport(viewport: Viewport): void;
  /** Draws instead of moving the picture. The middle and right buttons still move it. */
  pointer?: StagePointer | undefined;
  cursor?: DrawnCursor | undefined;
}

const WHEEL_STEP = 1.0015;

/** Measures an element, and measures it again when its size changes. */
function useSize(): [{ current: HTMLDivElement | null }, Size] {
  const ref = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = ref.current as HTMLDivElement;
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
  return [ref, size];
}

/** Shows a picture that can be zoomed with the wheel and moved with the pointer. */
export function Stage(props: StageProps) {
  const { label, image, mask, withOverlay = false, withOutline = false, viewport, onViewport, pointer, cursor } = props;
  const [frame, view] = useSize();
  const canvas = useRef<HTMLCanvasElement>(null);
  const drag = useRef<{ x: number; y: number; draws: boolean } | undefined>(undefined);
  const picture = { width: image?.naturalWidth ?? 1, height: image?.naturalHeight ?? 1 };
  const transform = transformOf(viewport, picture, view);

  useLayoutEffect(() => {
    if (!image || !canvas.current || view.width === 0) return;
    draw(canvas.current, view, transform, { image, mask, withOverlay, withOutline, cursor });
  });
  useEffect(() => {
    if (cursor?.isMovedByKeys) onViewport(revealed(viewport, cursor.x, cursor.y, picture, view));
  }, [cursor?.x, cursor?.y]);

  const positionIn = (event: MouseEvent) => {
    const { left, top } = (canvas.current as HTMLCanvasElement).getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const pointAt = (event: MouseEvent): Point => {
    const { x, y } = positionIn(event);
    return { x: (x - transform.left) / transform.scale, y: (y - transform.top) / transform.scale };
  };
  const onPointerDown = (event: PointerEvent) => {
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    const draws = pointer !== undefined && event.button === 0;
    drag.current = { x: event.clientX, y: event.clientY, draws };
    if (draws) pointer?.onDown(pointAt(event));
  };
  const onPointerMove = (event: PointerEvent) => {
    const { current } = drag;
    if (!current || current.draws) pointer?.onMove(pointAt(event));
    else onViewport(panned(viewport, event.clientX - current.x, event.clientY - current.y, picture, view));
    if (current) drag.current = { ...current, x: event.clientX, y: event.clientY };
  };
  const onPointerUp = () => {
    if (drag.current?.draws) pointer?.onUp();
    drag.current = undefined;
  };
  const onWheel = (event: WheelEvent) => {
    // The wheel scrolls the page where it cannot zoom out any further.
    if (event.deltaY > 0 && viewport.zoom <= 1) return;
    event.preventDefault();
    const { x, y } = positionIn(event);
    onViewport(zoomedAt(viewport, WHEEL_STEP ** -event.deltaY, x, y, picture, view));
  };
  // At the whole picture a finger scrolls the page, because there is nothing to move.
  const touch = pointer || viewport.zoom > 1 ? 'none' : 'pan-y';
  return html`<div class="stage" ref=${frame}>
    ${image === null && html`<p class="failed">This picture could not be loaded.</p>`}
    ${
      image &&
      html`<canvas ref=${canvas} role="img" aria-label=${label} class=${pointer ? 'drawn-on' : ''}
        style=${{ touchAction: touch }} onPointerDown=${onPointerDown} onPointerMove=${onPointerMove}
        onPointerUp=${onPointerUp} onPointerCancel=${onPointerUp} onWheel=${onWheel}
        onContextMenu=${(event: Event) => pointer && event.preventDefault()} />`
    }
  </div>`;
}
