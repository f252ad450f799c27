import { join } from 'node:path';
import type { LoadedExample } from '../dataset/dataset.js';
import { encodePng, readImage, readMask } from '../dataset/image-file.js';
import type { PairWriter } from '../dataset/pair-writer.js';
import { writeFileAtomic } from '../files.js';
import type { RawImage } from '../image.js';
import { type LossPoint, lossChart } from './chart.js';
import { overlay } from './overlay.js';

/** What a report shows. */
export interface ReportInput {
  title: string;
  examples: readonly LoadedExample[];
  losses: readonly LossPoint[];
  writer: PairWriter;
  /** Names and values, in order. */
  settings: Record<string, unknown>;
  /** Seconds, by what took them. */
  times: Record<string, number>;
}

/** Generated pairs beyond this many are counted, not shown: the file must stay easy to open. */
const SHOWN_PAIRS = 64;

const escapeHtml = (text: string) =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] as string);

async function picture(image: RawImage, label: string): Promise<string> {
  const bytes = await encodePng(image);
  return `<img alt="${escapeHtml(label)}" title="${escapeHtml(label)}" src="data:image/png;base64,${bytes.toString('base64')}">`;
}

function table(rows: Record<string, unknown>, format: (value: unknown) => string = String): string {
  const lines = Object.entries(rows).map(
    ([name, value]) => `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(format(value))}</td></tr>`,
  );
  return `<table>${lines.join('')}</table>`;
}

async function exampleFigure(example: LoadedExample): Promise<string> {
  const pictures = [
    await picture(example.pixels, `${example.name}: image`),
    await picture(example.maskPixels, `${example.name}: mask`),
    await picture(overlay(example.pixels, example.maskPixels), `${example.name}: overlay`),
  ];
  return `<figure class="example">${pictures.join('')}<figcaption>${escapeHtml(example.name)}</figcaption></figure>`;
}

async function pairFigure(writer: PairWriter, record: PairWriter['records'][number]): Promise<string> {
  const image = await readImage(join(writer.folder, record.image));
  const part = await readImage(join(writer.folder, record.part));
  const pictures = [
    await picture(image, `pair ${record.index}: image`),
    await picture(part, `pair ${record.index}: part`),
  ];
  if (record.mask) {
    const mask = await readMask(join(writer.folder, record.mask));
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

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 1180px; margin: 0 auto; padding: 24px; }
h1 { margin: 0 0 4px; } h2 { margin: 32px 0 8px; }
table { border-collapse: collapse; } th { text-align: left; font-weight: normal; opacity: .7; padding-right: 16px; }
figure { margin: 0; } figcaption { font-size: 12px; opacity: .7; }
.grid-of { display: grid; gap: 14px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 520px), 1fr)); }
.pair, .example { display: grid; grid-template-columns: repeat(4, 1fr); gap: 4px; }
.example { grid-template-columns: repeat(3, 1fr); } figcaption { grid-column: 1 / -1; }
img { width: 100%; image-rendering: pixelated; border-radius: 3px; background: #888; }
.empty { outline: 2px solid #d33; outline-offset: 3px; }
.side { display: flex; flex-wrap: wrap; gap: 48px; }
svg { width: 100%; max-width: 900px; font-size: 11px; fill: currentColor; }
.grid { stroke: currentColor; opacity: .15; } path { fill: none; }
.raw { stroke: #4a90d9; opacity: .35; } .mean { stroke: #d9534a; stroke-width: 2; }`;

/** Writes one HTML file that needs nothing else: images are inside it. */
export async function writeReport(path: string, input: ReportInput): Promise<void> {
  const { title, examples, writer, settings, times } = input;
  const kept = writer.kept;
  const shown = kept.slice(0, SHOWN_PAIRS);
  const exampleFigures = await Promise.all(examples.map(exampleFigure));
  const pairFigures = await Promise.all(shown.map((record) => pairFigure(writer, record)));
  const empty = kept.filter((record) => record.empty).length;
  const dropped = writer.records.length - kept.length;
  const seconds = (value: unknown) => `${(value as number).toFixed(1)} s`;
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>
<h1>${escapeHtml(title)}</h1>
<p>${kept.length} generated pairs from ${examples.length} training images; ${empty} with an empty mask.${dropped > 0 ? ` ${dropped} more were dropped.` : ''}</p>
<h2>Generated pairs</h2>
<p>Image, anomaly part, mask, and the mask's outline on the image.${shown.length < kept.length ? ` The first ${shown.length} are shown.` : ''}</p>
<div class="grid-of" id="pairs">${pairFigures.join('\n')}</div>
<h2>Training images</h2>
<div class="grid-of" id="examples">${exampleFigures.join('\n')}</div>
<h2>Loss</h2>
${lossChart(input.losses)}
<div class="side"><section><h2>Settings</h2>${table(settings)}</section><section><h2>Times</h2>${table(times, seconds)}</section></div>
</body></html>
`;
  await writeFileAtomic(path, html);
}
