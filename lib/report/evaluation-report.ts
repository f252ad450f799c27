import { join } from 'node:path';
import { writeFileAtomic } from '../core/files.js';
import type { PixelData } from '../core/image.js';
import { type Example, readExample } from '../dataset/example-file.js';
import { fewAtOnce } from '../dataset/few-at-once.js';
import { binarize } from '../dataset/fit.js';
import { readImage, resizeImage } from '../dataset/image-file.js';
import type { Evaluation, EvaluationRun, Evaluator } from '../evaluate/evaluator.js';
import type { Row } from '../evaluate/rows.js';
import { MEASURES, type Measure } from '../evaluate/scores.js';
import { goodNameOf } from '../evaluate/squares.js';
import { AVERAGE, cellText, type Line, tableOf } from '../evaluate/table.js';
import type { TestedGood, TestedImage } from '../evaluate/tested-images.js';
import { escapeHtml, page, picture } from './html.js';
import { overlay } from './overlay.js';

/** The number of best and of worst cases that are shown for each row. */
const CASES = 6;
/** The number of real and of generated images that are shown for each type. */
const SHOWN_IMAGES = 8;

const measures = Object.keys(MEASURES) as Measure[];

function scoreTable(lines: readonly Line[]): string {
  const best = (type: string, measure: Measure) =>
    Math.max(...lines.filter((line) => line.type === type).map(({ cells }) => cells[measure].mean ?? -1));
  const body = lines.map(({ type, row, cells }) => {
    const columns = measures.map((measure) => {
      const isBest = cells[measure].mean !== null && cells[measure].mean === best(type, measure);
      return `<td${isBest ? ' class="best"' : ''}>${cellText(cells[measure])}</td>`;
    });
    return `<tr><th>${escapeHtml(type)}</th><th>${escapeHtml(row)}</th>${columns.join('')}</tr>`;
  });
  const header = ['type', 'trained on', ...measures.map((measure) => MEASURES[measure])];
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

/** Returns an example at the detectors' resolution with the outline of its mask in red. */
async function outlined(example: Example, size: number): Promise<PixelData> {
  const { image, mask } = await readExample(example);
  return overlay(await resizeImage(image, size, size), binarize(await resizeImage(mask, size, size)));
}

/** Shows an image beside its map. */
async function caseFigure(image: PixelData, map: string, label: string) {
  const shown = await picture(image, `${label}, image`);
  const found = await picture(await readImage(map), `${label}, map`);
  return `<figure>${shown}${found}<figcaption>${escapeHtml(label)}</figcaption></figure>`;
}

async function defectFigure(evaluator: Evaluator, folder: string, { type, name, pixelAp, map }: TestedImage) {
  const example = evaluator.split.testing.get(type)?.find((one) => one.name === name);
  if (!example) return '';
  const image = await outlined(example, evaluator.protocol.resolution);
  return caseFigure(image, join(folder, map), `${type} ${name}: pixel AP ${(100 * pixelAp).toFixed(1)}`);
}

async function goodFigure(evaluator: Evaluator, folder: string, { name, meanProbability, map }: TestedGood) {
  const file = evaluator.split.testingGood.find((one) => goodNameOf(one) === name);
  if (file === undefined) return '';
  const { resolution } = evaluator.protocol;
  const image = await resizeImage(await readImage(file), resolution, resolution);
  return caseFigure(image, join(folder, map), `good ${name}: mean probability ${(100 * meanProbability).toFixed(1)}`);
}

async function cases(evaluator: Evaluator, run: EvaluationRun, folder: string): Promise<string> {
  const sorted = [...run.images].sort((a, b) => a.pixelAp - b.pixelAp);
  const figures = (images: TestedImage[]) => fewAtOnce(images, (image) => defectFigure(evaluator, folder, image));
  const worst = await figures(sorted.slice(0, CASES));
  const best = await figures(sorted.slice(-CASES).reverse());
  const suspected = [...run.good].sort((a, b) => b.meanProbability - a.meanProbability).slice(0, CASES);
  const good = await fewAtOnce(suspected, (image) => goodFigure(evaluator, folder, image));
  const section = (title: string, all: string[]) =>
    `<h3>${escapeHtml(run.row)}: ${title}</h3><div class="cases">${all.join('')}</div>`;
  return [section('worst', worst), section('best', best), section('good images, most suspected', good)].join('\n');
}

async function imageStrip(examples: readonly Example[], size: number, what: string): Promise<string> {
  const pictures = await fewAtOnce(examples.slice(0, SHOWN_IMAGES), async (example) =>
    picture(await outlined(example, size), `${what} ${example.name}`),
  );
  return `<div class="strip">${pictures.join('')}</div>`;
}

/** Shows real images of each type above generated ones. */
async function realAndGenerated(evaluator: Evaluator, { name, generated }: Row): Promise<string> {
  const size = evaluator.protocol.resolution;
  const sections: string[] = [];
  for (const [type, examples] of evaluator.split.training) {
    const made = generated?.[0]?.types.get(type) ?? [];
    sections.push(
      `<h3>${escapeHtml(type)}: real, then ${escapeHtml(name)}</h3>${await imageStrip(examples, size, `real ${type}`)}${await imageStrip(made, size, `${name} ${type}`)}`,
    );
  }
  return sections.join('\n');
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

function settings({ protocol, training, tested, leftOut, runs }: Evaluation): string {
  const counts = (images: Record<string, number>) => Object.entries(images).map(([name, count]) => `${count} ${name}`);
  const seeds = new Set(runs.map(({ seed }) => seed)).size;
  const rows = {
    protocol: `${protocol.name}: ${protocol.resolution} pixels, base width ${protocol.channels}, ${protocol.iterations} steps of ${protocol.batchSize} at ${protocol.learningRate}`,
    'real training images': counts(training).join(', '),
    'test images': counts(tested).join(', '),
    ...(leftOut > 0 && { 'left out of the test': `${leftOut} with the pixels of a training image` }),
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
  const shown = evaluation.runs.filter(({ seed }) => seed === evaluation.runs[0]?.seed);
  const caseSections: string[] = [];
  for (const run of shown) caseSections.push(await cases(evaluator, run, folder));
  const sets = evaluator.rows.filter(({ generated, real }) => generated !== undefined && !real);
  const pages: string[] = [];
  for (const row of sets) pages.push(await realAndGenerated(evaluator, row));
  const html = page(
    `${evaluation.category}: evaluation`,
    `<p>All scores are in per cent, with the mean and the standard deviation over the seeds. Each type is tested with the good images. The line <i>average</i> is the mean of the types, and <i>together</i> tests all images at once.</p>
${barChart(lines)}
${scoreTable(lines)}
${qualitySection(evaluation)}
${pages.length > 0 ? `<h2>Beside real images</h2>${pages.join('\n')}` : ''}
<h2>Cases</h2><p>Each case shows the image with the true outline and the map of the defect's probability.</p>
${caseSections.join('\n')}
<h2>Settings</h2>${settings(evaluation)}`,
  );
  await writeFileAtomic(path, html);
}
