/** Tells how many real photographs alone give the scores of a row: what its generated pairs are worth. */
import { AVERAGE } from './summaries.js';
import { type Line, SHOTS } from './table.js';

/** The row of the real photographs alone. */
const REAL = 'none';

/** The value of a row with a number of real photographs. */
export interface Worth {
  row: string;
  detector: string;
  /** The number of real photographs of each type that the row knows. */
  shots: number;
  /** The average pixel AP, 0 to 1. */
  value: number;
  /**
   * The number of real photographs of each type with which `none` first has this value, between its measured numbers on
   * a logarithmic scale. `beyond` tells that the curve of `none` starts above the value, or never reaches it; `photographs`
   * is then its first or its last number.
   */
  photographs: number;
  beyond: 'fewer' | 'more' | undefined;
}

interface Point {
  shots: number;
  value: number;
}

function pointsOf(lines: readonly Line[], name: string, detector: string): Point[] {
  const points = lines.flatMap(({ type, row, detector: own, shots, cells }) => {
    const value = cells.pixelAp.mean;
    const isOurs = type === AVERAGE && row === name && own === detector;
    return isOurs && shots !== undefined && value !== null ? [{ shots, value }] : [];
  });
  return points.sort((a, b) => a.shots - b.shots);
}

/** Returns the number of photographs at which a curve first has a value. */
function crossing(curve: readonly Point[], value: number): Pick<Worth, 'photographs' | 'beyond'> {
  const [first] = curve as [Point];
  if (value < first.value) return { photographs: first.shots, beyond: 'fewer' };
  for (const [index, to] of curve.entries()) {
    if (to.value < value) continue;
    const from = curve[index - 1] ?? to;
    const share = to.value === from.value ? 0 : (value - from.value) / (to.value - from.value);
    return { photographs: from.shots * (to.shots / from.shots) ** share, beyond: undefined };
  }
  return { photographs: (curve.at(-1) as Point).shots, beyond: 'more' };
}

/**
 * Returns the worth of each row but `none`, for each detector. The list is empty without several numbers of shots, or
 * without `none`.
 */
export function worthOf(lines: readonly Line[]): Worth[] {
  const detectors = [...new Set(lines.map(({ detector }) => detector))];
  const rows = [...new Set(lines.map(({ row }) => row))].filter((row) => row !== REAL);
  return detectors.flatMap((detector) => {
    const curve = pointsOf(lines, REAL, detector);
    if (curve.length < 2) return [];
    return rows.flatMap((row) =>
      pointsOf(lines, row, detector).map(({ shots, value }) => ({
        ...{ row, detector, shots, value, ...crossing(curve, value) },
      })),
    );
  });
}

/** Describes a worth, as in `5.7` or `more than 8`. */
export function worthText({ photographs, beyond }: Worth): string {
  if (beyond !== undefined) return `${beyond} than ${photographs}`;
  return Number.isInteger(photographs) ? String(photographs) : photographs.toFixed(1);
}

/** Returns the table as Markdown. The list is empty if there is nothing to compare. */
export function worthMarkdown(lines: readonly Line[]): string[] {
  const worths = worthOf(lines);
  if (worths.length === 0) return [];
  const columns = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const header = ['trained on', 'detector', SHOTS, 'average pixel AP', `real photographs of \`${REAL}\` with the same`];
  const body = worths.map((worth) =>
    columns([worth.row, worth.detector, String(worth.shots), (100 * worth.value).toFixed(1), worthText(worth)]),
  );
  return [[columns(header), columns(['---', '---', '---:', '---:', '---:']), ...body].join('')];
}
