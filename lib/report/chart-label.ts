import type { Line } from '../evaluate/table.js';

/** Names a line of a chart: the row, and the detector where there are several. */
export function chartLabel({ row, detector }: Pick<Line, 'row' | 'detector'>, lines: readonly Line[]): string {
  return lines.some((line) => line.detector !== detector) ? `${row}, ${detector}` : row;
}
