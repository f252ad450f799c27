import { writeFileAtomic } from '../core/files.js';
import { DETECTORS } from '../detect/kinds.js';
import { BEST_ROUND } from '../evaluate/best-round.js';
import { COST_COLUMNS, costTable, costText } from '../evaluate/cost-table.js';
import type { Evaluation } from '../evaluate/evaluation.js';
import type { Evaluator } from '../evaluate/evaluator.js';
import type { LearnerProtocol } from '../evaluate/protocol.js';
import type { Quality } from '../evaluate/quality.js';
import { QUALITY_COLUMNS, QUALITY_HEADER, qualityCells } from '../evaluate/quality-table.js';
import { MEASURES, type Measure } from '../evaluate/scores.js';
import { worthOf, worthText } from '../evaluate/shots-worth.js';
import { AVERAGE, type Cell, cellText, type Line, SHOTS, tableOf } from '../evaluate/table.js';
import { THRESHOLD_COLUMNS, thresholdTable, thresholdText } from '../evaluate/threshold-table.js';
import type { DetectorName } from '../options/names.js';
import { chartLabel } from './chart-label.js';
import { cases, realAndGenerated } from './evaluation-cases.js';
import { escapeHtml, page } from './html.js';
import { shotsChart } from './shots-chart.js';

const measures = Object.keys(MEASURES) as Measure[];

/** Shows the interval of a cell below its value. */
function intervalText({ interval }: Cell): string {
  if (interval === null) return '';
  const [low, high] = interval.map((end) => (100 * end).toFixed(1));
  return `<br><small>${low} to ${high}</small>`;
}

function scoreTable(lines: readonly Line[]): string {
  const best = ({ type, shots }: Line, measure: Measure) =>
    Math.max(
      ...lines
        .filter((line) => line.type === type && line.shots === shots)
        .map(({ cells }) => cells[measure].mean ?? -1),
    );
  const hasShots = lines.some(({ shots }) => shots !== undefined);
  const body = lines.map((line) => {
    const { type, row, detector, shots, cells } = line;
    const columns = measures.map((measure) => {
      const isBest = cells[measure].mean !== null && cells[measure].mean === best(line, measure);
      return `<td${isBest ? ' class="best"' : ''}>${cellText(cells[measure])}${intervalText(cells[measure])}</td>`;
    });
    const count = shots === undefined ? '' : `<th>${shots}</th>`;
    return `<tr><th>${escapeHtml(type)}</th>${count}<th>${escapeHtml(row)}</th><th>${detector}</th>${columns.join('')}</tr>`;
  });
  const header = [
    'type',
    ...(hasShots ? [SHOTS] : []),
    'trained on',
    'detector',
    ...measures.map((measure) => MEASURES[measure]),
  ];
  return `<table class="scores" id="scores"><tr>${header.map((name) => `<th>${name}</th>`).join('')}</tr>${body.join('\n')}</table>`;
}

/** Draws the average pixel AP of each row as a bar. The whisker is one standard deviation over the seeds. */
function barChart(lines: readonly Line[]): string {
  const bars = lines.filter(({ type }) => type === AVERAGE);
  const [left, width, height] = [150, 560, 26];
  const x = (value: number) => left + value * width;
  const marks = bars.map((line, i) => {
    const { cells } = line;
    const { mean, deviation } = cells.pixelAp;
    const y = i * height;
    const value = mean ?? 0;
    const spread = deviation ?? 0;
    return (
      `<text x="${left - 8}" y="${y + 17}" text-anchor="end">${escapeHtml(chartLabel(line, bars))}</text>` +
      `<rect class="bar" x="${left}" y="${y + 4}" width="${(value * width).toFixed(1)}" height="${height - 8}"/>` +
      `<line class="whisker" x1="${x(Math.max(0, value - spread)).toFixed(1)}" x2="${x(Math.min(1, value + spread)).toFixed(1)}" y1="${y + height / 2}" y2="${y + height / 2}"/>` +
      `<text x="${x(Math.min(1, value + spread)) + 6}" y="${y + 17}">${cellText(cells.pixelAp)}</text>`
    );
  });
  return `<svg id="average" viewBox="0 0 ${left + width + 90} ${bars.length * height}" role="img" aria-label="Average pixel AP of each row">${marks.join('\n')}</svg>`;
}

function qualitySection({ quality }: Evaluation): string {
  if (quality.length === 0) return '';
  const body = quality.map((one) => {
    const cells = qualityCells(one).map((cell) => `<td>${cell}</td>`);
    return `<tr><th>${escapeHtml(one.type)}</th><th>${escapeHtml(one.row)}</th>${cells.join('')}</tr>`;
  });
  const header = QUALITY_HEADER.map((name) => `<th>${name}</th>`);
  const isMeasured = (text: (one: Quality) => string) => quality.some((one) => text(one) !== '-');
  const caveats = QUALITY_COLUMNS.filter(({ text }) => isMeasured(text)).map(({ caveat }) => `<li>${caveat}</li>`);
  return `<h2>Generated pictures</h2><table class="scores" id="quality"><tr>${header.join('')}</tr>${body.join('')}</table><ul>${caveats.join('')}</ul>`;
}

/** Shows how many real photographs alone give the scores of each row. */
function worthSection(lines: readonly Line[]): string {
  const body = worthOf(lines).map(
    (worth) =>
      `<tr><th>${escapeHtml(worth.row)}</th><th>${worth.detector}</th><td>${worth.shots}</td><td>${(100 * worth.value).toFixed(1)}</td><td>${worthText(worth)}</td></tr>`,
  );
  if (body.length === 0) return '';
  return `<h2>What pairs are worth</h2><p>The last column is the number of real photographs of each type with which <i>none</i>, the real ones alone, first has the same average pixel AP. The dotted lines of the chart lead there. Between two measured numbers it is estimated.</p><table class="scores" id="worth"><tr><th>trained on</th><th>detector</th><th>${SHOTS}</th><th>average pixel AP</th><th>worth in real photographs</th></tr>${body.join('')}</table>`;
}

/** Shows what each detector costs. */
function costSection(evaluation: Evaluation): string {
  const body = costTable(evaluation).map(({ detector, values }) => {
    const cells = values.map((value) => `<td>${costText(value)}</td>`).join('');
    return `<tr><th>${detector}</th>${cells}</tr>`;
  });
  if (body.length === 0) return '';
  const header = ['detector', ...COST_COLUMNS].map((name) => `<th>${name}</th>`).join('');
  return `<h2>Cost</h2><p>These are means over the runs on this machine, several of which may have shared it.</p><table class="scores" id="cost"><tr>${header}</tr>${body.join('')}</table>`;
}

/** Shows what is found at thresholds that were chosen without the test images. */
function thresholdSection(evaluation: Evaluation): string {
  const lines = thresholdTable(evaluation);
  if (lines.length === 0) return '';
  const hasShots = evaluation.shots !== undefined;
  const body = lines.map(({ type, row, detector, shots, basis, values }) => {
    const count = hasShots ? `<th>${shots}</th>` : '';
    const cells = values.map((value) => `<td>${thresholdText(value)}</td>`).join('');
    return `<tr><th>${escapeHtml(type)}</th>${count}<th>${escapeHtml(row)}</th><th>${detector}</th><th>${basis}</th>${cells}</tr>`;
  });
  const labels = [
    'type',
    ...(hasShots ? [SHOTS] : []),
    'trained on',
    'detector',
    'threshold chosen on',
    ...THRESHOLD_COLUMNS,
  ];
  const header = labels.map((name) => `<th>${name}</th>`).join('');
  return `<h2>At a threshold for use</h2><p>The thresholds are chosen without the test images: those of the best F1 on generated pairs or training photographs, or those that a hundredth of the good training images and of their pixels reaches. A detector knows its training images, so that a threshold chosen on them may be too high for new ones.</p><table class="scores" id="thresholds"><tr>${header}</tr>${body.join('\n')}</table>`;
}

const learning = ({ channels, iterations, batchSize, learningRate }: LearnerProtocol) =>
  `base width ${channels}, ${iterations} steps of ${batchSize} at ${learningRate}`;

function settings({ protocol, training, tested, leftOut, runs, shots }: Evaluation): string {
  const counts = (images: Record<string, number>) => Object.entries(images).map(([name, count]) => `${count} ${name}`);
  const seeds = new Set(runs.map(({ seed }) => seed)).size;
  const rows = {
    protocol: `${protocol.name}: ${protocol.tiles ? 'tiles of ' : ''}${protocol.resolution} pixels`,
    ...Object.fromEntries(
      Object.entries(protocol.detectors)
        .filter(([name]) => DETECTORS[name as DetectorName].isTrained)
        .map(([name, settings]) => [name, learning(settings)]),
    ),
    'real training images': counts(training).join(', '),
    'test images': counts(tested).join(', '),
    ...(leftOut > 0 && { 'left out of the test': `${leftOut} of a part that a training image shows` }),
    ...(shots && { 'real photographs of each type that a run knows': shots.join(', ') }),
    seeds,
    minutes: (runs.reduce((sum, { seconds }) => sum + seconds, 0) / 60).toFixed(1),
  };
  const lines = Object.entries(rows).map(
    ([name, value]) => `<tr><th>${name}</th><td>${escapeHtml(String(value))}</td></tr>`,
  );
  return `<table>${lines.join('')}</table>`;
}

/**
 * Writes the evaluation's report. It shows the table and a plot of it, the best and the worst cases, and generated
 * images beside real ones.
 */
export async function writeEvaluationReport(
  path: string,
  evaluator: Evaluator,
  evaluation: Evaluation,
  folder: string,
): Promise<void> {
  const lines = tableOf(evaluation);
  const most = evaluation.shots && Math.max(...evaluation.shots);
  const shown = evaluation.runs.filter(({ seed, shots }) => seed === evaluation.runs[0]?.seed && shots === most);
  const caseSections: string[] = [];
  for (const run of shown) caseSections.push(await cases(evaluator, run, folder));
  const sets = evaluator.rows.filter(({ generated, real }) => generated !== undefined && !real);
  const pages: string[] = [];
  for (const row of sets) pages.push(await realAndGenerated(evaluator, row));
  const html = page(
    `${evaluation.category}: evaluation`,
    `${evaluation.bestEpoch ? `<p><strong>All scores are those of the ${BEST_ROUND}, which makes them too good.</strong></p>` : ''}<p>All scores are in per cent, with the mean and the standard deviation over the seeds. Below stands the 95 % interval by the bootstrap over test images (1,000 draws; photographs of one part are drawn together; the mean of the seeds' intervals): it tells how much the scores would vary with other test images. Each type is tested with the good images. The line <i>average</i> is the mean of the types, and <i>together</i> tests all images at once.</p>
${most === undefined ? barChart(lines) : `${shotsChart(lines)}${worthSection(lines)}`}
${scoreTable(lines)}
${thresholdSection(evaluation)}
${costSection(evaluation)}
${qualitySection(evaluation)}
${pages.length > 0 ? `<h2>Beside real images</h2>${pages.join('\n')}` : ''}
<h2>Cases</h2><p>Each case shows the image with the true outline and the map of the detector: its probability, or its score, from the lowest one of the run in black to the highest one in white.${most === undefined ? '' : ` All runs shown have ${most} shots.`}</p>
${caseSections.join('\n')}
<h2>Settings</h2>${settings(evaluation)}`,
  );
  await writeFileAtomic(path, html);
}
