import type { Evaluation } from './evaluation.js';
import type { Quality } from './quality.js';
import { MEASURES, type Measure, mean, type Scores } from './scores.js';

/** A cell of the table, which sums up the seeds of its row. */
export interface Cell {
  /** 0 to 1. It is null if no seed has a value. */
  mean: number | null;
  /** The sample standard deviation over the seeds. It is null for fewer than two values. */
  deviation: number | null;
  values: (number | null)[];
}

/** A line of the table: a row of the evaluation for one type, for the mean of the types, or for all images together. */
export interface Line {
  type: string;
  row: string;
  /** The number of real photographs of each type, if `shots` were evaluated. */
  shots?: number;
  cells: Record<Measure, Cell>;
}

export const AVERAGE = 'average';
export const TOGETHER = 'together';
const names = Object.keys(MEASURES) as Measure[];

function cellOf(values: (number | null)[]): Cell {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return { mean: null, deviation: null, values };
  const centre = mean(known);
  const squares = known.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return { mean: centre, deviation: known.length < 2 ? null : Math.sqrt(squares / (known.length - 1)), values };
}

/**
 * Returns the table's lines. Every row has one for each type, for the mean of the types and for all images together,
 * and for each number of shots.
 */
export function tableOf({ types, rows, runs, shots: counts }: Evaluation): Line[] {
  const lines: Line[] = [];
  const blocks = [...types, AVERAGE, TOGETHER].flatMap((type) =>
    (counts ?? [undefined]).map((shots) => ({ type, shots })),
  );
  for (const { type, shots } of blocks) {
    for (const row of rows) {
      const scores: Scores[] = runs
        .filter((run) => run.row === row && run.shots === shots)
        .map((run) =>
          type === AVERAGE ? run.average : type === TOGETHER ? run.together : (run.types[type] as Scores),
        );
      const cells = names.map((name) => [name, cellOf(scores.map((one) => one[name]))]);
      lines.push({
        type,
        row,
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
  const labels = ['type', ...(hasShots ? [SHOTS] : []), 'trained on'];
  const header = [...labels, ...names.map((name) => MEASURES[name])];
  const body = lines.map(({ type, row, shots, cells }) => [
    ...[type, ...(shots === undefined ? [] : [String(shots)]), row],
    ...names.map((name) => cellText(cells[name])),
  ]);
  const align = header.map((_, i) => (i < labels.length ? '---' : '---:'));
  return [header, align, ...body].map(columns).join('');
}

const columns = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;

/** Returns the table of the generated sets' quality. The list is empty if nothing was measured. */
export function qualityTable(quality: readonly Quality[]): string[] {
  if (quality.length === 0) return [];
  const number = (value: number | undefined) => (value === undefined ? '-' : value.toFixed(3));
  const body = quality.map(({ type, row, images, inceptionScore, icLpips }) =>
    columns([type, row, String(images), number(inceptionScore), number(icLpips)]),
  );
  const header = [columns(['type', 'generated', 'images', 'Inception Score', 'IC-LPIPS'])];
  return [[...header, columns(['---', '---', '---:', '---:', '---:']), ...body].join('')];
}

const quoted = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/**
 * Returns one CSV line per cell: type, row, measure, mean, deviation, and the values of the seeds with spaces between.
 * The column shots comes after row if shots were evaluated.
 */
export function csvTable(lines: readonly Line[]): string {
  const number = (value: number | null) => (value === null ? '' : String(value));
  const hasShots = lines.some(({ shots }) => shots !== undefined);
  const body = lines.flatMap(({ type, row, shots, cells }) =>
    names.map((name) => {
      const cell = cells[name];
      const numbers = [number(cell.mean), number(cell.deviation), cell.values.map(number).join(' ')];
      return [quoted(type), quoted(row), ...(hasShots ? [shots] : []), name, ...numbers].join(',');
    }),
  );
  const header = `type,row,${hasShots ? `${SHOTS},` : ''}measure,mean,deviation,values`;
  return `${[header, ...body].join('\n')}\n`;
}
