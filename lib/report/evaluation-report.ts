import { writeFileAtomic } from '../core/files.js';
import type { Evaluation } from '../evaluate/evaluation.js';
import type { Evaluator } from '../evaluate/evaluator.js';
import { MEASURES, type Measure } from '../evaluate/scores.js';
import { AVERAGE, cellText, type Line, SHOTS, tableOf } from '../evaluate/table.js';
import { cases, realAndGenerated } from './evaluation-cases.js';
import { escapeHtml, page } from './html.js';
import { shotsChart } from './shots-chart.js';

const measures = Object.keys(MEASURES) as Measure[];

function scoreTable(lines: readonly Line[]): string {
  const best = ({ type, shots }: Line, measure: Measure) =>
    Math.max(
      ...lines
        .filter((line) => line.type === type && line.shots === shots)
        .map(({ cells }) => cells[measure].mean ?? -1),
    );
  const hasShots = lines.some(({ shots }) => shots !== undefined);
  const body = lines.map((line) => {
    const { type, row, shots, cells } = line;
    const columns = measures.map((measure) => {
      const isBest = cells[measure].mean !== null && cells[measure].mean === best(line, measure);
      return `<td${isBest ? ' class="best"' : ''}>${cellText(cells[measure])}</td>`;
    });
    const count = shots === undefined ? '' : `<th>${shots}</th>`;
    return `<tr><th>${escapeHtml(type)}</th>${count}<th>${escapeHtml(row)}</th>${columns.join('')}</tr>`;
  });
  const header = ['type', ...(hasShots ? [SHOTS] : []), 'trained on', ...measures.map((measure) => MEASURES[measure])];
  return `<table class="scores" id="scores"><tr>${header.map((name) => `<th>${name}</th>`).join('')}</tr>${body.join('\n')}</table>`;
}

/** Draws the average pixel AP of each row as a bar. The whisker is one standard deviation over the seeds. */
function barChart(lines: readonly Line[]): string {
  const bars = lines.filter(({ type }) => type === AVERAGE);
  const [left, width, height] = [150, 560, 26];
  const x = (value: number) => left + value * width;
  const marks = bars.map(({ row, cells }, i) => {
    const { mean, deviation } = cells.pixelAp;
    const y = i * height;
    const value = mean ?? 0;
    const spread = deviation ?? 0;
    return (
      `<text x="${left - 8}" y="${y + 17}" text-anchor="end">${escapeHtml(row)}</text>` +
      `<rect class="bar" x="${left}" y="${y + 4}" width="${(value * width).toFixed(1)}" height="${height - 8}"/>` +
      `<line class="whisker" x1="${x(Math.max(0, value - spread)).toFixed(1)}" x2="${x(Math.min(1, value + spread)).toFixed(1)}" y1="${y + height / 2}" y2="${y + height / 2}"/>` +
      `<text x="${x(Math.min(1, value + spread)) + 6}" y="${y + 17}">${cellText(cells.pixelAp)}</text>`
    );
  });
  return `<svg id="average" viewBox="0 0 ${left + width + 90} ${bars.length * height}" role="img" aria-label="Average pixel AP of each row">${marks.join('\n')}</svg>`;
}

function qualitySection({ quality }: Evaluation): string {
  if (quality.length === 0) return '';
  const number = (value: number | undefined) => (value === undefined ? '-' : value.toFixed(3));
  const body = quality.map(
    ({ type, row, images, inceptionScore, icLpips }) =>
      `<tr><th>${escapeHtml(type)}</th><th>${escapeHtml(row)}</th><td>${images}</td><td>${number(inceptionScore)}</td><td>${number(icLpips)}</td></tr>`,
  );
  return `<h2>Generated pictures</h2><table class="scores"><tr><th>type</th><th>generated</th><th>images</th><th>Inception Score</th><th>IC-LPIPS</th></tr>${body.join('\n')}</table>`;
}

function settings({ protocol, training, tested, leftOut, runs, shots }: Evaluation): string {
  const counts = (images: Record<string, number>) => Object.entries(images).map(([name, count]) => `${count} ${name}`);
  const seeds = new Set(runs.map(({ seed }) => seed)).size;
  const rows = {
    protocol: `${protocol.name}: ${protocol.tiles ? 'tiles of ' : ''}${protocol.resolution} pixels, base width ${protocol.channels}, ${protocol.iterations} steps of ${protocol.batchSize} at ${protocol.learningRate}`,
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
    `<p>All scores are in per cent, with the mean and the standard deviation over the seeds. Each type is tested with the good images. The line <i>average</i> is the mean of the types, and <i>together</i> tests all images at once.</p>
${most === undefined ? barChart(lines) : shotsChart(lines)}
${scoreTable(lines)}
${qualitySection(evaluation)}
${pages.length > 0 ? `<h2>Beside real images</h2>${pages.join('\n')}` : ''}
<h2>Cases</h2><p>Each case shows the image with the true outline and the map of the defect's probability.${most === undefined ? '' : ` All runs shown have ${most} shots.`}</p>
${caseSections.join('\n')}
<h2>Settings</h2>${settings(evaluation)}`,
  );
  await writeFileAtomic(path, html);
}
