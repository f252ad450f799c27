import { join } from 'node:path';
import { writeFileAtomic } from '../core/files.js';
import { fewAtOnce } from '../dataset/few-at-once.js';
import { readImage } from '../dataset/image-file.js';
import { readMask } from '../dataset/mask-file.js';
import type { PairRecord } from '../dataset/pair-record.js';
import type { PairWriter } from '../dataset/pair-writer.js';
import type { TrainingImage } from '../dataset/training-region.js';
import { type LossPoint, lossChart } from './chart.js';
import { escapeHtml, page, picture } from './html.js';
import { outlined } from './overlay.js';
import { type Thumbnails, thumbnailsOf } from './thumbnails.js';

/** The content of a report. */
export interface ReportInput {
  title: string;
  examples: readonly TrainingImage[];
  losses: readonly LossPoint[];
  writer: PairWriter;
  /** The settings in the order of the report. */
  settings: Record<string, unknown>;
  /** The seconds that each step took. */
  times: Record<string, number>;
}

/** The largest number of generated pairs that are shown. With more, the page would be slow to open. */
const SHOWN_PAIRS = 1000;

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

async function pairFigure(thumbnails: Thumbnails, { folder }: PairWriter, record: PairRecord): Promise<string> {
  const { index, mask, empty, coverage } = record;
  const show = async (kind: string, file: string) =>
    picture(await thumbnails.add('image', [file], () => readImage(file)), `pair ${index}: ${kind}`);
  const image = join(folder, record.image);
  const pictures = [await show('image', image), await show('part', join(folder, record.part))];
  if (mask !== undefined) {
    const file = join(folder, mask);
    const draw = async () => outlined({ image: await readImage(image), mask: await readMask(file) });
    const outline = await thumbnails.add('outline', [image, file], draw);
    pictures.push(await show('mask', file), picture(outline, `pair ${index}: overlay`));
  }
  const note = empty
    ? ' — empty mask'
    : coverage === undefined
      ? ''
      : ` — ${(100 * coverage).toFixed(1)} % of the image`;
  return `<figure class="pair${empty ? ' empty' : ''}">${pictures.join('')}<figcaption>${index}${note}</figcaption></figure>`;
}

/** Writes the report. Its pictures are thumbnails in a folder beside it, which link to the images. */
export async function writeReport(path: string, input: ReportInput): Promise<void> {
  const { title, examples, writer, settings, times } = input;
  const kept = writer.kept;
  const shown = kept.slice(0, SHOWN_PAIRS);
  const thumbnails = thumbnailsOf(path);
  const exampleFigures = await fewAtOnce(examples, (example) => exampleFigure(thumbnails, example));
  const pairFigures = await fewAtOnce(shown, (record) => pairFigure(thumbnails, writer, record));
  const empty = kept.filter((record) => record.empty).length;
  const dropped = writer.records.length - kept.length;
  const seconds = (value: unknown) => `${(value as number).toFixed(1)} s`;
  const html = page(
    title,
    `<p>${kept.length} generated pairs from ${examples.length} training images; ${empty} with an empty mask.${dropped > 0 ? ` ${dropped} more were dropped.` : ''}</p>
<h2>Generated pairs</h2>
<p>Image, anomaly part, mask, and the mask's outline on the image.${shown.length < kept.length ? ` The first ${shown.length} are shown.` : ''}</p>
<div class="grid-of" id="pairs">${pairFigures.join('\n')}</div>
<h2>Training images</h2>
<div class="grid-of" id="examples">${exampleFigures.join('\n')}</div>
<h2>Loss</h2>
${lossChart(input.losses)}
<div class="side"><section><h2>Settings</h2>${table(settings)}</section><section><h2>Times</h2>${table(times, seconds)}</section></div>`,
  );
  await writeFileAtomic(path, html);
  await thumbnails.removeOthers();
}
