import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { html } from '../../components/html.js';
import { ExpiredError, sendMask } from './api.js';
import { Button } from './button.js';
import { encodeMask } from './drawing.js';
import { MEND_KEYS } from './keys.js';
import { MARKED, type Mask } from './mask.js';
import type { Review } from './review.js';
import { Stage } from './stage.js';
import { useKeys } from './use-keys.js';
import { useMending } from './use-mending.js';
import { useWarning } from './use-warning.js';
import type { Viewport } from './viewport.js';
import { ZoomButtons, type ZoomCommands } from './zoom-buttons.js';

export interface MenderProps {
  /** The name of the pair. */
  name: string;
  review: Review;
  id: number;
  image: HTMLImageElement;
  original: Mask;
  viewport: Viewport;
  onViewport(viewport: Viewport): void;
  zoomCommands: ZoomCommands;
  onClose(): void;
  onHelp(): void;
}

/** Mends a mask with a brush and an eraser. */
export function Mender(props: MenderProps) {
  const { name, review, id, image, original, viewport, onViewport, zoomCommands, onClose, onHelp } = props;
  const mending = useMending(original, review.pairs[id]?.box ?? undefined);
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => heading.current?.focus(), []);
  const [isSaving, setSaving] = useState(false);
  const [failure, setFailure] = useState('');
  const { mask, area, tool, size, cursor, isPenDown, canUndo, canRedo } = mending;
  useWarning(canUndo);

  const save = async () => {
    if (isSaving) return;
    setSaving(true);
    try {
      review.confirmMask(await sendMask(id, await encodeMask(mask)));
      onClose();
    } catch (error) {
      const advice = error instanceof ExpiredError ? 'This page cannot save it any more.' : 'You can save it again.';
      setFailure(`The mask is not saved. ${(error as Error).message} ${advice}`);
      setSaving(false);
    }
  };
  const cancel = () => {
    if (!canUndo || window.confirm('Leave without saving the mask?')) onClose();
  };
  const move = (dx: number, dy: number) => (event: KeyboardEvent) => {
    const step = event.shiftKey ? 10 : 1;
    mending.moveCursor(step * dx, step * dy);
  };
  const commands = {
    brush: () => mending.setTool('brush'),
    eraser: () => mending.setTool('eraser'),
    move: () => mending.setTool('move'),
    smaller: () => mending.changeSize(-1),
    larger: () => mending.changeSize(1),
    left: move(-1, 0),
    right: move(1, 0),
    up: move(0, -1),
    down: move(0, 1),
    draw: mending.togglePen,
    grow: () => mending.spread(MARKED),
    shrink: () => mending.spread(0),
    clearComponent: mending.clearComponent,
    undo: mending.undo,
    redo: mending.redo,
    ...zoomCommands,
    save,
    cancel,
    help: onHelp,
  };
  useKeys(MEND_KEYS, commands);

  const button = (name: Exclude<keyof typeof commands, 'left' | 'right' | 'up' | 'down'>, text: string, more = {}) =>
    html`<${Button} command=${MEND_KEYS[name]} onClick=${commands[name]} ...${more}>${text}<//>`;
  const pen = isPenDown ? `${tool} is down` : `${tool} is up`;
  return html`<section class="mender" aria-labelledby="mended">
    <h2 id="mended" tabindex="-1" ref=${heading}>Mend the mask of ${name}</h2>
    <div class="tools" role="group" aria-label="Tools">
      ${button('brush', 'Brush', { isPressed: tool === 'brush' })}
      ${button('eraser', 'Eraser', { isPressed: tool === 'eraser' })}
      ${button('move', 'Move', { isPressed: tool === 'move' })}
      <span class="group">${button('smaller', 'Smaller')}<output aria-label="Size of the brush">${size}</output>
        ${button('larger', 'Larger')}</span>
      ${button('undo', 'Undo', { isDisabled: !canUndo })}
      ${button('redo', 'Redo', { isDisabled: !canRedo })}
      ${button('grow', 'Grow')}
      ${button('shrink', 'Shrink')}
      ${button('clearComponent', 'Erase area')}
      <${ZoomButtons} commands=${zoomCommands} />
      ${button('save', isSaving ? 'Saving…' : 'Save', { kind: 'main', isDisabled: isSaving })}
      ${button('cancel', 'Cancel')}
    </div>
    ${failure && html`<p class="failed" role="alert">${failure}</p>`}
    <${Stage} label="The image with the mask that you mend" image=${image} mask=${mending.drawn} withOverlay withOutline
      viewport=${viewport} onViewport=${onViewport} pointer=${mending.pointer} cursor=${{ ...cursor, size }} />
    <p role="status">Cursor at ${Math.floor(cursor.x)}, ${Math.floor(cursor.y)}; ${pen}; ${area} pixels are marked.</p>
  </section>`;
}
