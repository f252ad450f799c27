import { fewAtOnce } from '../core/few-at-once.js';
import { writeFileAtomic } from '../core/files.js';
import type { PairWriter } from '../dataset/pair-writer.js';
import type { TrainingImage } from '../dataset/training-region.js';
import { type LossPoint, lossChart } from './chart.js';
import { escapeHtml, page, picture } from './html.js';
import { outlined } from './overlay.js';
import { PairPictures } from './pair-pictures.js';
import { pairScript, pairSection, type RealDefects } from './pair-section.js';
import { type Thumbnails, thumbnailsOf } from './thumbnails.js';

/** The content of a report. */
export interface ReportInput {
  title: string;
  examples: readonly TrainingImage[];
  real: RealDefects;
  losses: readonly LossPoint[];
  writer: PairWriter;
  /** The settings in the order of the report. */
  settings: Record<string, unknown>;
  /** The seconds that each step took. */
  times: Record<string, number>;
}

/** The thumbnails of a report, and the pictures of its pairs. */
export interface ReportPictures {
  thumbnails: Thumbnails;
  pairs: PairPictures;
}

/** Opens the pictures of the report at `path` of the pairs in `folder`. */
export function openPictures(path: string, folder: string): ReportPictures {
  const thumbnails = thumbnailsOf(path);
  return { thumbnails, pairs: new PairPictures(thumbnails, folder) };
}

function table(rows: Record<string, unknown>, format: (value: unknown) => string = String): string {
  const lines = Object.entries(rows).map(
    ([name, value]) => `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(format(value))}</td></tr>`,
  );
  return `<table>${lines.join('')}</table>`;
}

async function exampleFigure(thumbnails: Thumbnails, { name, pixels, maskPixels }: TrainingImage): Promise<string> {
  const pictures = [
    picture(await thumbnails.add('image', [pixels], async () => pixels), `${name}: image`),
    picture(await thumbnails.add('image', [maskPixels], async () => maskPixels), `${name}: mask`),
    picture(
      await thumbnails.add('outline', [pixels, maskPixels], () => outlined({ image: pixels, mask: maskPixels })),
      `${name}: overlay`,
    ),
  ];
  return `<figure class="example">${pictures.join('')}<figcaption>${escapeHtml(name)}</figcaption></figure>`;
}

/**
 * Writes the report. Its pictures are thumbnails in a folder beside it, which link to the images. Those that `pictures` does
 * not hold yet are made from the files.
 */
export async function writeReport(
  path: string,
  input: ReportInput,
  pictures = openPictures(path, input.writer.folder),
): Promise<void> {
  const { title, examples, real, writer, settings, times } = input;
  const { kept, folder } = writer;
  const { thumbnails } = pictures;
  const exampleFigures = await fewAtOnce(examples, (example) => exampleFigure(thumbnails, example));
  const { summary, pairs, shapes } = await pairSection(pictures.pairs, folder, kept, real);
  const dropped = writer.records.length - kept.length;
  const seconds = (value: unknown) => `${(value as number).toFixed(1)} s`;
  const html = page(
    title,
    `<p>${kept.length} generated pairs from ${examples.length} training images.${dropped > 0 ? ` ${dropped} more were dropped.` : ''} ${summary}</p>
<h2>Generated pairs</h2>
${pairs}
${shapes}
<h2>Training images</h2>
<div class="grid-of" id="examples">${exampleFigures.join('\n')}</div>
<h2>Loss</h2>
${lossChart(input.losses)}
<div class="side"><section><h2>Settings</h2>${table(settings)}</section><section><h2>Times</h2>${table(times, seconds)}</section></div>`,
    pairScript(),
  );
  await writeFileAtomic(path, html);
  await thumbnails.removeOthers();
}
