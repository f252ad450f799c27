import { join } from 'node:path';
import { writeFileAtomic } from '../core/files.js';
import type { RawImage } from '../core/image.js';
import { shrunkSize } from '../dataset/cut.js';
import { fewAtOnce } from '../dataset/few-at-once.js';
import { binarize } from '../dataset/fit.js';
import { readImage, resizeImage } from '../dataset/image-file.js';
import { readMask } from '../dataset/mask-file.js';
import type { PairWriter } from '../dataset/pair-writer.js';
import type { TrainingImage } from '../dataset/training-region.js';
import { type LossPoint, lossChart } from './chart.js';
import { escapeHtml, page, picture } from './html.js';
import { overlay } from './overlay.js';

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

/** The largest number of generated pairs that are shown. With more, the file would be slow to open. */
const SHOWN_PAIRS = 64;

/** Pictures have at most this number of pixels along each side. */
const SHOWN_SIDE = 512;

function table(rows: Record<string, unknown>, format: (value: unknown) => string = String): string {
  const lines = Object.entries(rows).map(
    ([name, value]) => `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(format(value))}</td></tr>`,
  );
  return `<table>${lines.join('')}</table>`;
}

async function exampleFigure(example: TrainingImage): Promise<string> {
  const pictures = [
    await picture(example.pixels, `${example.name}: image`),
    await picture(example.maskPixels, `${example.name}: mask`),
    await picture(overlay(example.pixels, example.maskPixels), `${example.name}: overlay`),
  ];
  return `<figure class="example">${pictures.join('')}<figcaption>${escapeHtml(example.name)}</figcaption></figure>`;
}

/** Shrinks an image for the report. Whole photographs would make the file slow to open. */
function shrunk(image: RawImage): Promise<RawImage> {
  const { width, height } = shrunkSize(image, SHOWN_SIDE);
  return resizeImage(image, width, height);
}

async function pairFigure(writer: PairWriter, record: PairWriter['records'][number]): Promise<string> {
  const image = await shrunk(await readImage(join(writer.folder, record.image)));
  const part = await shrunk(await readImage(join(writer.folder, record.part)));
  const pictures = [
    await picture(image, `pair ${record.index}: image`),
    await picture(part, `pair ${record.index}: part`),
  ];
  if (record.mask) {
    const mask = binarize(await shrunk(await readMask(join(writer.folder, record.mask))));
    pictures.push(
      await picture(mask, `pair ${record.index}: mask`),
      await picture(overlay(image, mask), `pair ${record.index}: overlay`),
    );
  }
  const note = record.empty
    ? ' — empty mask'
    : record.coverage === undefined
      ? ''
      : ` — ${(100 * record.coverage).toFixed(1)} % of the image`;
  return `<figure class="pair${record.empty ? ' empty' : ''}">${pictures.join('')}<figcaption>${record.index}${note}</figcaption></figure>`;
}

/** Writes the report to one HTML file with embedded images. */
export async function writeReport(path: string, input: ReportInput): Promise<void> {
  const { title, examples, writer, settings, times } = input;
  const kept = writer.kept;
  const shown = kept.slice(0, SHOWN_PAIRS);
  const exampleFigures = await Promise.all(examples.map(exampleFigure));
  const pairFigures = await fewAtOnce(shown, (record) => pairFigure(writer, record));
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
}
