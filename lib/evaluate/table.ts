import type { Evaluation } from './evaluation.js';
import { type ByType, type Interval, MEASURES, type Measure, mean } from './scores.js';
import { AVERAGE, TOGETHER } from './summaries.js';

/** A cell of the table, which sums up the seeds of its row. */
export interface Cell {
  /** 0 to 1. It is null if no seed has a value. */
  mean: number | null;
  /** The sample standard deviation over the seeds. It is null for fewer than two values. */
  deviation: number | null;
  values: (number | null)[];
  /**
   * The 95 % interval of the bootstrap over test images. It is the mean of the seeds' intervals, which is at least as wide
   * as the interval of their mean, because all seeds draw the same images. It is null if a seed has none.
   */
  interval: Interval;
}

/** A line of the table: a row of the evaluation for one type, for the mean of the types, or for all images together. */
export interface Line {
  type: string;
  row: string;
  detector: string;
  /** The number of real photographs of each type, if `shots` were evaluated. */
  shots?: number;
  cells: Record<Measure, Cell>;
}

/** Stands in the column of detectors for maps that another program has made. */
export const MAPS = 'maps';
const names = Object.keys(MEASURES) as Measure[];

/** Returns the mean of intervals, or null if one is missing. */
function meanInterval(intervals: readonly Interval[]): Interval {
  const known = intervals.filter((interval) => interval !== null);
  if (known.length === 0 || known.length < intervals.length) return null;
  return [mean(known.map(([low]) => low)), mean(known.map(([, high]) => high))];
}

function cellOf(values: (number | null)[], intervals: readonly Interval[]): Cell {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return { mean: null, deviation: null, values, interval: null };
  const centre = mean(known);
  const squares = known.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  const deviation = known.length < 2 ? null : Math.sqrt(squares / (known.length - 1));
  return { mean: centre, deviation, values, interval: meanInterval(intervals) };
}

/** Returns the value of a type, of the types' mean, or of all images together. */
export const ofType = <T>({ types, average, together }: ByType<T>, type: string): T | undefined =>
  type === AVERAGE ? average : type === TOGETHER ? together : types[type];

/**
 * Returns the table's lines. Every row has one for each of its detectors and for each type, for the mean of the types and
 * for all images together, and for each number of shots.
 */
export function tableOf({ types, rows, detectors, runs, shots: counts }: Evaluation): Line[] {
  const lines: Line[] = [];
  const blocks = [...types, AVERAGE, TOGETHER].flatMap((type) =>
    (counts ?? [undefined]).map((shots) => ({ type, shots })),
  );
  const pairs = rows.flatMap((row) => [...detectors, MAPS].map((detector) => ({ row, detector })));
  for (const { type, shots } of blocks) {
    for (const { row, detector } of pairs) {
      const ofLine = runs.filter((run) => run.row === row && run.detector === detector);
      if (ofLine.length === 0) continue; // The detector cannot learn from the row.
      const known = ofLine.filter((run) => run.shots === shots);
      const scores = known.map((run) => ofType(run, type));
      const intervals = known.map((run) => (run.intervals === undefined ? undefined : ofType(run.intervals, type)));
      // Results of an earlier version lack newer measures.
      const cells = names.map((name) => [
        name,
        cellOf(
          scores.map((one) => one?.[name] ?? null),
          intervals.map((one) => (name === 'accuracy' ? null : (one?.[name] ?? null))),
        ),
      ]);
      lines.push({
        type,
        row,
        detector,
        ...(shots !== undefined && { shots }),
        cells: Object.fromEntries(cells) as Record<Measure, Cell>,
      });
    }
  }
  return lines;
}

const percent = (value: number) => (100 * value).toFixed(1);

/** Formats a cell in per cent, as in `41.2 ± 1.3`. A cell without a value is `-`. */
export function cellText({ mean: value, deviation }: Cell): string {
  if (value === null) return '-';
  return deviation === null ? percent(value) : `${percent(value)} ± ${percent(deviation)}`;
}

/** The heading of the column with the number of real photographs of each type. */
export const SHOTS = 'shots';

export function markdownTable(lines: readonly Line[]): string {
  const hasShots = lines.some(({ shots }) => shots !== undefined);
  const labels = ['type', ...(hasShots ? [SHOTS] : []), 'trained on', 'detector'];
  const header = [...labels, ...names.map((name) => MEASURES[name])];
  const body = lines.map(({ type, row, detector, shots, cells }) => [
    ...[type, ...(shots === undefined ? [] : [String(shots)]), row, detector],
    ...names.map((name) => cellText(cells[name])),
  ]);
  const align = header.map((_, i) => (i < labels.length ? '---' : '---:'));
  return [header, align, ...body].map(columns).join('');
}

const columns = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;

const quoted = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/**
 * Returns one CSV line per cell: type, row, detector, measure, mean, deviation, the values of the seeds with spaces
 * between, and the ends of the interval.
 * The column shots comes after detector if shots were evaluated.
 */
export function csvTable(lines: readonly Line[]): string {
  const number = (value: number | null) => (value === null ? '' : String(value));
  const hasShots = lines.some(({ shots }) => shots !== undefined);
  const body = lines.flatMap(({ type, row, detector, shots, cells }) =>
    names.map((name) => {
      const cell = cells[name];
      const numbers = [number(cell.mean), number(cell.deviation), cell.values.map(number).join(' ')];
      numbers.push(...(cell.interval ?? [null, null]).map(number));
      return [quoted(type), quoted(row), detector, ...(hasShots ? [shots] : []), name, ...numbers].join(',');
    }),
  );
  const header = `type,row,detector,${hasShots ? `${SHOTS},` : ''}measure,mean,deviation,values,low,high`;
  return `${[header, ...body].join('\n')}\n`;
}
