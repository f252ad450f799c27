/** Says which cells of a long grid are worth an element, and where they are. */

export interface GridLayout {
  columns: number;
  /** The distance from one row to the next, in pixels. */
  rowHeight: number;
  /** The height of all rows together, in pixels. */
  height: number;
}

/** Rows above and below the visible ones that have elements, so that scrolling shows no gaps. */
const SPARE_ROWS = 2;

/** Returns the layout of `count` cells of at least `cellWidth` pixels. Cells are as wide as they are high, plus `extra`. */
export function gridLayout(count: number, width: number, cellWidth: number, extra: number): GridLayout {
  const columns = Math.max(Math.floor(width / cellWidth), 1);
  const rowHeight = Math.floor(width / columns) + extra;
  return { columns, rowHeight, height: Math.ceil(count / columns) * rowHeight };
}

/** Returns the range of cells, from the first up to but not including the last, whose rows are in or near the view. */
export function visibleCells(layout: GridLayout, count: number, scrollTop: number, height: number): [number, number] {
  const { columns, rowHeight } = layout;
  const first = Math.max(Math.floor(scrollTop / rowHeight) - SPARE_ROWS, 0);
  const last = Math.ceil((scrollTop + height) / rowHeight) + SPARE_ROWS;
  return [Math.min(first * columns, count), Math.min(last * columns, count)];
}
