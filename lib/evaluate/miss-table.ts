/** The table of how many defects each detector missed, and of how many good images it called defects. */
import type { Evaluation } from './evaluation.js';
import { falselyAlarmed, isDecided, missedIn, recordedImages } from './misses.js';
import { mean } from './scores.js';

/** A line of the table. Its values are means over the seeds. */
export interface MissLine {
  row: string;
  detector: string;
  shots?: number;
  /** The missed defects, all defects, the false alarms, and all good images of the test. */
  values: [missed: number, defects: number, falseAlarms: number, good: number];
}

export const MISS_COLUMNS = ['missed defects', 'of', 'false alarms', 'of good images'];

/** Returns a line for each row and detector. Rows without thresholds, such as maps, have none. */
export function missTable({ rows, detectors, runs, shots: counts }: Evaluation): MissLine[] {
  const keys = (counts ?? [undefined]).flatMap((shots) =>
    rows.flatMap((row) => detectors.map((detector) => ({ shots, row, detector }))),
  );
  return keys.flatMap(({ shots, row, detector }) => {
    const known = runs
      .filter((run) => run.row === row && run.detector === detector && run.shots === shots)
      .filter(isDecided);
    const [first] = known; // All runs are tested on the same images.
    if (first === undefined) return [];
    const values: MissLine['values'] = [
      mean(known.map((run) => missedIn(run).length)),
      recordedImages(first).reduce((sum, { photograph }) => sum + photograph.defects.length, 0),
      mean(known.map((run) => falselyAlarmed(run).length)),
      first.good.length,
    ];
    return [{ row, detector, ...(shots !== undefined && { shots }), values }];
  });
}

/** Formats a mean number. */
export const countText = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(1));

/** Returns the table as Markdown. The list is empty if no run has thresholds. */
export function missMarkdown(evaluation: Evaluation): string[] {
  const lines = missTable(evaluation);
  if (lines.length === 0) return [];
  const hasShots = evaluation.shots !== undefined;
  const labels = [...(hasShots ? ['shots'] : []), 'trained on', 'detector'];
  const columns = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const body = lines.map(({ row, detector, shots, values }) =>
    columns([...(hasShots ? [String(shots)] : []), row, detector, ...values.map(countText)]),
  );
  const align = [...labels.map(() => '---'), ...MISS_COLUMNS.map(() => '---:')];
  return [[columns([...labels, ...MISS_COLUMNS]), columns(align), ...body].join('')];
}
