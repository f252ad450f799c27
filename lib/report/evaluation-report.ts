import { writeFileAtomic } from '../core/files.js';
import { DETECTORS } from '../detect/kinds.js';
import { bestRoundLabel } from '../evaluate/best-round.js';
import type { Evaluation } from '../evaluate/evaluation.js';
import type { Evaluator } from '../evaluate/evaluator.js';
import type { NetworkUse } from '../evaluate/networks-used.js';
import type { LearnerProtocol } from '../evaluate/protocol.js';
import { tableOf } from '../evaluate/table.js';
import type { DetectorName } from '../options/names.js';
import { averageChart } from './average-chart.js';
import { caseSections } from './evaluation-cases.js';
import { missSection } from './evaluation-misses.js';
import { costSection, qualitySection, scoreTable, thresholdSection, worthSection } from './evaluation-tables.js';
import { filterBar } from './filters.js';
import { escapeHtml, page } from './html.js';
import { realAndGenerated } from './real-and-generated.js';
import { shotsChart } from './shots-chart.js';
import { thumbnailsOf } from './thumbnails.js';

const learning = ({ channels, iterations, batchSize, learningRate }: LearnerProtocol) =>
  `base width ${channels}, ${iterations} steps of ${batchSize} at ${learningRate}`;

/** Says where a network's weights come from. */
const weightsText = ({ name, digest }: NetworkUse) =>
  `${name}, ${digest === null ? 'from random weights' : `SHA-256 ${digest}…`}`;

function settings({ protocol, training, tested, leftOut, synthetic, runs, shots, networks }: Evaluation): string {
  const counts = (images: Record<string, number>) => Object.entries(images).map(([name, count]) => `${count} ${name}`);
  const seeds = new Set(runs.map(({ seed }) => seed)).size;
  const rows = {
    protocol: `${protocol.name}: ${protocol.tiles ? 'tiles of ' : ''}${protocol.resolution} pixels`,
    ...Object.fromEntries(
      Object.entries(protocol.detectors)
        .filter(([name]) => DETECTORS[name as DetectorName].isTrained)
        .map(([name, settings]) => [name, learning(settings)]),
    ),
    ...Object.fromEntries(networks.map((network) => [`network of ${network.use}`, weightsText(network)])),
    'real training images': counts(training).join(', '),
    'test images': counts(tested).join(', '),
    ...(leftOut + synthetic > 0 && {
      'left out of the test': `${leftOut} of a part that a training image shows, ${synthetic} generated`,
    }),
    ...(shots && { 'real photographs of each type that a run knows': shots.join(', ') }),
    seeds,
    minutes: (runs.reduce((sum, { seconds }) => sum + seconds, 0) / 60).toFixed(1),
  };
  const lines = Object.entries(rows).map(
    ([name, value]) => `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(String(value))}</td></tr>`,
  );
  return `<table>${lines.join('')}</table>`;
}

/** Explains the numbers of the page. */
const EXPLANATION =
  "All scores are in per cent, with the mean and the standard deviation over the seeds. Below stands the 95 % interval by the bootstrap over test images (1,000 draws; photographs of one part are drawn together; the mean of the seeds' intervals): it tells how much the scores would vary with other test images. Each type is tested with the good images. The line <i>average</i> is the mean of the types, and <i>together</i> tests all images at once. The best of each type is bold.";

/**
 * Writes the evaluation's report: charts, tables, generated images beside real ones, and test images with the maps of all
 * detectors. Its pictures are thumbnails in a folder beside it. `path` lies in the folder of the evaluation.
 */
export async function writeEvaluationReport(path: string, evaluator: Evaluator, evaluation: Evaluation): Promise<void> {
  const { category, shots, runs, bestEpoch, protocol } = evaluation;
  const lines = tableOf(evaluation);
  const most = shots && Math.max(...shots);
  const atMost = lines.filter((line) => line.shots === most);
  const thumbnails = thumbnailsOf(path);
  const shown = runs.filter((run) => run.seed === runs[0]?.seed && run.shots === most);
  const misses = await missSection(evaluator.split, evaluation, thumbnails);
  const cases = await caseSections(evaluator, shown, thumbnails);
  const sets = evaluator.rows.filter(({ generated, real }) => generated !== undefined && !real);
  const pairs: string[] = [];
  for (const row of sets) pairs.push(await realAndGenerated(evaluator, row, thumbnails));
  const html = page(
    `${category}: evaluation`,
    `${bestEpoch ? `<p><strong>All scores are those of the ${bestRoundLabel(protocol.iterations)}, which makes them too good.</strong></p>` : ''}
${filterBar(lines)}
${most === undefined ? averageChart(lines) : `${shotsChart(lines)}${worthSection(lines)}`}
<h2>Scores</h2><p>${EXPLANATION}</p>
${scoreTable(lines)}
${thresholdSection(evaluation)}
${misses}
${costSection(evaluation, atMost)}
${qualitySection(evaluation)}
<h2>Cases</h2><p>Each case shows a test image with the true outline, and the maps of all detectors: their probability, or their score, from the lowest one of the run in black to the highest one in white. The cases are sorted by their mean over the detectors, and are those of the first seed.${most === undefined ? '' : ` All runs shown have ${most} shots.`}</p>
${cases}
${pairs.length > 0 ? `<h2>Beside real images</h2>${pairs.join('\n')}` : ''}
<h2>Settings</h2>${settings(evaluation)}`,
  );
  await writeFileAtomic(path, html);
  await thumbnails.removeOthers();
}
