/** The keys of the page. The help lists what the handlers understand. */

/** What a key does while pairs are looked at. */
export const REVIEW_KEYS = {
  keep: { keys: ['k'], does: 'keep the pair and go to the next' },
  drop: { keys: ['d'], does: 'drop the pair and go to the next' },
  undo: { keys: ['u', 'Ctrl+z'], does: 'undo your latest decision or correction' },
  undoPair: { keys: ['U'], does: 'undo the latest change of this pair, whoever made it' },
  next: { keys: ['n', 'ArrowRight'], does: 'go to the next pair' },
  previous: { keys: ['p', 'ArrowLeft'], does: 'go to the previous pair' },
  rows: { keys: ['ArrowUp', 'ArrowDown'], does: 'go to the row above or below' },
  pages: { keys: ['PageUp', 'PageDown', 'Home', 'End'], does: 'go a page up or down, or to the first or last pair' },
  open: { keys: ['Enter'], does: 'open the pair' },
  close: { keys: ['Escape'], does: 'back to all pairs' },
  mend: { keys: ['m'], does: 'mend the mask' },
  overlay: { keys: ['o'], does: 'overlay of the mask on or off' },
  outline: { keys: ['l'], does: 'outline of the mask on or off' },
  compare: { keys: ['c'], does: 'photograph, part and real defect beside the pair on or off' },
  zoomIn: { keys: ['+', '='], does: 'zoom in' },
  zoomOut: { keys: ['-'], does: 'zoom out' },
  fit: { keys: ['0'], does: 'show the whole image' },
  zoomToMask: { keys: ['z'], does: 'zoom to the mask' },
  help: { keys: ['?'], does: 'this list' },
} as const;
export type ReviewCommand = keyof typeof REVIEW_KEYS;

/** What a key does while a mask is mended. */
export const MEND_KEYS = {
  brush: { keys: ['b'], does: 'take the brush' },
  eraser: { keys: ['e'], does: 'take the eraser' },
  smaller: { keys: ['['], does: 'smaller brush' },
  larger: { keys: [']'], does: 'larger brush' },
  left: { keys: ['ArrowLeft', 'Shift+ArrowLeft'], does: 'move the cursor by 1 pixel, or by 10 with Shift' },
  right: { keys: ['ArrowRight', 'Shift+ArrowRight'], does: 'move the cursor by 1 pixel, or by 10 with Shift' },
  up: { keys: ['ArrowUp', 'Shift+ArrowUp'], does: 'move the cursor by 1 pixel, or by 10 with Shift' },
  down: { keys: ['ArrowDown', 'Shift+ArrowDown'], does: 'move the cursor by 1 pixel, or by 10 with Shift' },
  move: { keys: ['v'], does: 'move the image with the mouse instead of drawing' },
  draw: { keys: [' '], does: 'put the brush down at the cursor, or lift it' },
  grow: { keys: ['g'], does: 'grow the mask by a pixel' },
  shrink: { keys: ['s'], does: 'shrink the mask by a pixel' },
  clearComponent: { keys: ['x'], does: 'erase the connected area under the cursor' },
  undo: { keys: ['u', 'Ctrl+z'], does: 'undo a stroke' },
  redo: { keys: ['r', 'Ctrl+Z', 'Ctrl+y'], does: 'do it again' },
  zoomIn: { keys: ['+', '='], does: 'zoom in' },
  zoomOut: { keys: ['-'], does: 'zoom out' },
  fit: { keys: ['0'], does: 'show the whole image' },
  zoomToMask: { keys: ['z'], does: 'zoom to the mask' },
  save: { keys: ['Enter', 'Ctrl+s'], does: 'save the mask' },
  cancel: { keys: ['Escape'], does: 'leave without saving' },
  help: { keys: ['?'], does: 'this list' },
} as const;
export type MendCommand = keyof typeof MEND_KEYS;

export type Keys<Command extends string> = Record<Command, { keys: readonly string[]; does: string }>;

/** Elements that need the keys themselves. */
const TYPING = 'input, select, textarea';
/** Elements that Enter and the space bar press. */
const PRESSED = 'button, summary, a[href]';

/** Returns the command that a key means, or undefined if the key is somebody else's. */
export function commandOf<Command extends string>(keys: Keys<Command>, event: KeyboardEvent): Command | undefined {
  const { key, altKey, shiftKey, target } = event;
  const isControl = event.ctrlKey || event.metaKey;
  const element = target instanceof Element ? target : undefined;
  if (altKey || (element?.closest(TYPING) && key !== 'Escape')) return undefined;
  if (element?.closest(PRESSED) && (key === 'Enter' || key === ' ')) return undefined;
  // Shift is part of a letter or sign, and is named beside keys that have no other form.
  const name = `${isControl ? 'Ctrl+' : ''}${shiftKey && key.length > 1 ? 'Shift+' : ''}${key}`;
  return (Object.keys(keys) as Command[]).find((command) => keys[command].keys.includes(name));
}

/** Returns the name of a key as it is printed on a keyboard. */
export const keyName = (key: string): string =>
  key
    .split(/(?<=.)\+/)
    .map(
      (part) =>
        ({ ' ': 'Space', ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc' })[part] ?? part,
    )
    .map((part) => (/^[A-Z]$/.test(part) ? `Shift+${part}` : part.length === 1 ? part.toUpperCase() : part))
    .join('+');
