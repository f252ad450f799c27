/** The tables of an evaluation's report. */
import { COST_COLUMNS, COST_LABELS, costTable, costText } from '../evaluate/cost-table.js';
import type { Evaluation } from '../evaluate/evaluation.js';
import {
  FEATURES_CAVEAT,
  QUALITY_COLUMNS,
  qualityCells,
  qualityHeader,
  qualityLabels,
} from '../evaluate/quality-table.js';
import { MEASURES, type Measure } from '../evaluate/scores.js';
import { worthOf, worthText } from '../evaluate/shots-worth.js';
import { AVERAGE, TOGETHER } from '../evaluate/summaries.js';
import { type Cell, cellText, type Line, SHOTS } from '../evaluate/table.js';
import { THRESHOLD_COLUMNS, thresholdTable, thresholdText } from '../evaluate/threshold-table.js';
import { escapeHtml } from './html.js';
import { sortableTable, type ValueCell } from './table.js';

const measures = Object.keys(MEASURES) as Measure[];

const cellOf = (value: number | null, format: (value: number) => string): ValueCell => ({
  html: value === null ? '-' : escapeHtml(format(value)),
  value,
});
const percent = (value: number) => (100 * value).toFixed(1);

/** Shows the interval of a cell below its value. */
function intervalText({ interval }: Cell): string {
  if (interval === null) return '';
  const [low, high] = interval.map(percent);
  return `<br><small>${low} to ${high}</small>`;
}

/** Returns the lines with the average and all images together before those of the types. */
function summariesFirst(lines: readonly Line[]): Line[] {
  const isSummary = ({ type }: Line) => type === AVERAGE || type === TOGETHER;
  return [...lines.filter(isSummary), ...lines.filter((line) => !isSummary(line))];
}

/** The scores of each line. The best of each type and number of shots are bold. */
export function scoreTable(lines: readonly Line[]): string {
  const best = ({ type, shots }: Line, measure: Measure) =>
    Math.max(
      ...lines
        .filter((line) => line.type === type && line.shots === shots)
        .map(({ cells }) => cells[measure].mean ?? -1),
    );
  const hasShots = lines.some(({ shots }) => shots !== undefined);
  const body = summariesFirst(lines).map((line) => {
    const { type, row, detector, shots, cells } = line;
    return {
      shown: { type, row, detector },
      labels: [type, ...(shots === undefined ? [] : [shots]), row, detector],
      cells: measures.map((measure) => {
        const { mean } = cells[measure];
        const html = `${cellText(cells[measure])}${intervalText(cells[measure])}`;
        return { html, value: mean, isBest: mean !== null && mean === best(line, measure) };
      }),
    };
  });
  const labels = ['type', ...(hasShots ? [SHOTS] : []), 'trained on', 'detector'];
  const names = [...labels, ...measures.map((measure) => MEASURES[measure])];
  return sortableTable('scores', names, body, { withSummaries: true });
}

/** Shows how many real photographs alone give the scores of each row. */
export function worthSection(lines: readonly Line[]): string {
  const body = worthOf(lines).map((worth) => {
    const { row, detector, shots, value, photographs } = worth;
    const cells = [cellOf(value, percent), cellOf(photographs, () => worthText(worth))];
    return { shown: { row, detector }, labels: [row, detector, shots], cells };
  });
  if (body.length === 0) return '';
  const names = ['trained on', 'detector', SHOTS, 'average pixel AP', 'worth in real photographs'];
  return `<h2>What pairs are worth</h2><p>The last column is the number of real photographs of each type with which <i>none</i>, the real ones alone, first has the same average pixel AP. The dotted lines of the chart lead there. Between two measured numbers it is estimated.</p>${sortableTable('worth', names, body)}`;
}

/** Returns the best average pixel AP of a detector over its rows, and the row that has it. */
function bestRow(detector: string, lines: readonly Line[]): { row: string; value: number | null } {
  const rows = lines
    .filter((line) => line.type === AVERAGE && line.detector === detector)
    .map(({ row, cells }) => ({ row, value: cells.pixelAp.mean }));
  return rows.sort((a, b) => (b.value ?? -1) - (a.value ?? -1))[0] ?? { row: '-', value: null };
}

/** Shows what each detector costs beside the best that it reaches. */
export function costSection(evaluation: Evaluation, lines: readonly Line[]): string {
  const body = costTable(evaluation).map(({ detector, concurrency, values }) => {
    const { row, value } = bestRow(detector, lines);
    const cells = [cellOf(value, percent), ...values.map((cost) => cellOf(cost, costText))];
    return { shown: { detector }, labels: [detector, concurrency ?? '-', row], cells };
  });
  if (body.length === 0) return '';
  const names = [...COST_LABELS, 'best row', 'its average pixel AP', ...COST_COLUMNS];
  return `<h2>Cost</h2><p>Times and sizes are means over the runs on this machine. Several networks at once share its cores, so that each takes longer: compare times of the same number only, or measure with --concurrency 1.</p>${sortableTable('cost', names, body)}`;
}

/** Shows what is found at thresholds that were chosen without the test images. */
export function thresholdSection(evaluation: Evaluation): string {
  const lines = thresholdTable(evaluation);
  if (lines.length === 0) return '';
  const hasShots = evaluation.shots !== undefined;
  const body = lines.map(({ type, row, detector, shots, basis, values }) => ({
    shown: { type, row, detector },
    labels: [type, ...(shots === undefined ? [] : [shots]), row, detector, basis],
    cells: values.map((value) => cellOf(value, thresholdText)),
  }));
  const labels = ['type', ...(hasShots ? [SHOTS] : []), 'trained on', 'detector', 'threshold chosen on'];
  const table = sortableTable('thresholds', [...labels, ...THRESHOLD_COLUMNS], body, { withSummaries: true });
  return `<h2>At a threshold for use</h2><p>The thresholds are chosen without the test images: those of the best F1 on generated pairs or training photographs, or those that a hundredth of the good training images and of their pixels reaches. A detector knows its training images, so that a threshold chosen on them may be too high for new ones.</p>${table}`;
}

/** Shows the quality of the generated sets, with what each measure does not tell. */
export function qualitySection({ quality }: Evaluation): string {
  if (quality.length === 0) return '';
  const body = quality.map((one) => ({
    shown: { type: one.type, row: one.row },
    labels: qualityLabels(one),
    cells: qualityCells(one).map((text) => ({ html: text, value: text === '-' ? null : Number.parseFloat(text) })),
  }));
  const measured = QUALITY_COLUMNS.filter(({ text }) => quality.some((one) => text(one) !== '-'));
  const isCompared = quality.some(({ features }) => features !== undefined);
  const caveats = [...(isCompared ? [FEATURES_CAVEAT] : []), ...measured.map(({ caveat }) => caveat)];
  const list = caveats.map((caveat) => `<li>${caveat}</li>`).join('');
  return `<h2>Generated pictures</h2>${sortableTable('quality', qualityHeader(quality), body)}<ul>${list}</ul>`;
}
