/** The table of what is found at thresholds that were chosen without the test images. */
import type { Evaluation } from './evaluation.js';
import { AVERAGE, TOGETHER } from './summaries.js';
import { ofType } from './table.js';
import type { Decisions, DetectionDecisions } from './thresholds.js';

/** A line of the table. The values are means over the seeds, 0 to 1, or null if there are none. */
export interface ThresholdLine {
  type: string;
  row: string;
  detector: string;
  shots?: number;
  /** What the thresholds are chosen on. */
  basis: string;
  /** F1, precision and recall of pixels, and then those of images. */
  values: (number | null)[];
}

export const THRESHOLD_COLUMNS = ['pixels', 'images'].flatMap((what) => [
  ...['F1', 'precision', 'recall'].map((name) => `${name} of ${what}`),
]);

const valuesOf = ({ f1, precision, recall }: Decisions) => [f1, precision, recall];

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** Returns the lines of the mean of the types and of all images. Rows without thresholds, such as maps, have none. */
export function thresholdTable({ rows, detectors, runs, shots: counts }: Evaluation): ThresholdLine[] {
  const lines: ThresholdLine[] = [];
  const pairs = rows.flatMap((row) => detectors.map((detector) => ({ row, detector })));
  for (const type of [AVERAGE, TOGETHER]) {
    for (const shots of counts ?? [undefined]) {
      for (const { row, detector } of pairs) {
        const known = runs
          .filter((run) => run.row === row && run.detector === detector && run.shots === shots)
          .flatMap(({ thresholds }) => thresholds ?? []);
        const [first] = known;
        if (first === undefined) continue;
        const all = known.map((one) => {
          const { pixels, images } = ofType(one, type) as DetectionDecisions;
          return [...valuesOf(pixels), ...valuesOf(images)];
        });
        const values = THRESHOLD_COLUMNS.map((_, column) => meanOf(all.map((one) => one[column] ?? null)));
        lines.push({ type, row, detector, ...(shots !== undefined && { shots }), basis: first.basis, values });
      }
    }
  }
  return lines;
}

/** Formats a value in per cent. */
export const thresholdText = (value: number | null): string => (value === null ? '-' : (100 * value).toFixed(1));

/** Returns the table as Markdown. The list is empty if no run has thresholds. */
export function thresholdMarkdown(evaluation: Evaluation): string[] {
  const lines = thresholdTable(evaluation);
  if (lines.length === 0) return [];
  const hasShots = evaluation.shots !== undefined;
  const labels = ['type', ...(hasShots ? ['shots'] : []), 'trained on', 'detector', 'threshold chosen on'];
  const columns = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const body = lines.map(({ type, row, detector, shots, basis, values }) =>
    columns([type, ...(hasShots ? [String(shots)] : []), row, detector, basis, ...values.map(thresholdText)]),
  );
  const align = [...labels.map(() => '---'), ...THRESHOLD_COLUMNS.map(() => '---:')];
  return [[columns([...labels, ...THRESHOLD_COLUMNS]), columns(align), ...body].join('')];
}
