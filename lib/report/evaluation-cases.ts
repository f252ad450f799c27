/** Shows images of an evaluation: single cases with their maps, and generated images beside real ones. */
import { join } from 'node:path';
import type { PixelData, RawImage } from '../core/image.js';
import { shrunkSize } from '../dataset/cut.js';
import { decodeImage } from '../dataset/decode.js';
import { type Example, readExample } from '../dataset/example-file.js';
import { fewAtOnce } from '../dataset/few-at-once.js';
import { binarize } from '../dataset/fit.js';
import { readImage, resizeImage } from '../dataset/image-file.js';
import { goodNameOf } from '../detect/squares.js';
import type { EvaluationRun } from '../evaluate/evaluation.js';
import type { Evaluator } from '../evaluate/evaluator.js';
import type { Protocol } from '../evaluate/protocol.js';
import type { Row } from '../evaluate/rows.js';
import type { TestedGood, TestedImage, TestedMap } from '../evaluate/tested-images.js';
import { escapeHtml, picture } from './html.js';
import { overlay } from './overlay.js';

/** The number of best and of worst cases that are shown for each row. */
const CASES = 6;
/** The number of real and of generated images that are shown for each type. */
const SHOWN_IMAGES = 8;
/** The longer side of a photograph that is shown with its own proportions, in pixels. */
const SHOWN_SIDE = 320;

/** Resizes an image as it is shown: to a detector's square, or, for tiles, with its own proportions. */
async function shownSize(image: PixelData, { resolution, tiles }: Protocol): Promise<RawImage> {
  if (!tiles) return resizeImage(image, resolution, resolution);
  const { width, height } = shrunkSize(image, SHOWN_SIDE);
  return resizeImage(image, width, height);
}

/** Returns an example with the outline of its mask in red. */
async function outlined(example: Example, protocol: Protocol): Promise<PixelData> {
  const { image, mask } = await readExample(example);
  return overlay(await shownSize(image, protocol), binarize(await shownSize(mask, protocol)));
}

/** A range of scores, which are shown from black to white. */
type Range = [low: number, high: number];

/** Returns the lowest and the highest score of all maps of a run. It is undefined for maps of probabilities. */
function rangeOf({ images, good }: EvaluationRun): Range | undefined {
  const ranges = [...images, ...good].map(({ range }) => range).filter((range) => range !== undefined);
  if (ranges.length === 0) return undefined;
  return [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))];
}

/** Reads a map as a grey image. */
async function readMap(file: string, range: Range | undefined): Promise<PixelData> {
  if (range === undefined) return readImage(file);
  const [low, high] = range;
  const { data: scores, width, height } = await decodeImage(file);
  const scale = 255 / Math.max(high - low, Number.MIN_VALUE);
  const data = Uint8Array.from(scores, (score) => Math.round(Math.min((score - low) * scale, 255)));
  return { data, width, height, channels: 1 };
}

/** Shows an image beside its map. */
async function caseFigure(image: PixelData, map: PixelData, label: string, protocol: Protocol) {
  const shown = await picture(image, `${label}, image`);
  const found = await picture(await shownSize(map, protocol), `${label}, map`);
  return `<figure>${shown}${found}<figcaption>${escapeHtml(label)}</figcaption></figure>`;
}

async function defectFigure(evaluator: Evaluator, { type, name, pixelAp }: TestedImage, map: PixelData) {
  const example = evaluator.split.testing.get(type)?.find((one) => one.name === name);
  if (!example) return '';
  const { protocol } = evaluator;
  const label = `${type} ${name}: pixel AP ${(100 * pixelAp).toFixed(1)}`;
  return caseFigure(await outlined(example, protocol), map, label, protocol);
}

async function goodFigure(evaluator: Evaluator, { name, meanProbability, range }: TestedGood, map: PixelData) {
  const file = evaluator.split.testingGood.find((one) => goodNameOf(one) === name);
  if (file === undefined) return '';
  const { protocol } = evaluator;
  const mean = range ? `score ${meanProbability.toPrecision(3)}` : `probability ${(100 * meanProbability).toFixed(1)}`;
  const label = `good ${name}: mean ${mean}`;
  return caseFigure(await shownSize(await readImage(file), protocol), map, label, protocol);
}

/** Shows the worst and the best cases of a run, and its most suspected good images. */
export async function cases(evaluator: Evaluator, run: EvaluationRun, folder: string): Promise<string> {
  const sorted = [...run.images].sort((a, b) => a.pixelAp - b.pixelAp);
  const range = rangeOf(run);
  const mapOf = ({ map }: TestedMap) => readMap(join(folder, map), range);
  const figures = (images: TestedImage[]) =>
    fewAtOnce(images, async (image) => defectFigure(evaluator, image, await mapOf(image)));
  const worst = await figures(sorted.slice(0, CASES));
  const best = await figures(sorted.slice(-CASES).reverse());
  const suspected = [...run.good].sort((a, b) => b.meanProbability - a.meanProbability).slice(0, CASES);
  const good = await fewAtOnce(suspected, async (image) => goodFigure(evaluator, image, await mapOf(image)));
  const section = (title: string, all: string[]) =>
    `<h3>${escapeHtml(`${run.row}, ${run.detector}`)}: ${title}</h3><div class="cases">${all.join('')}</div>`;
  return [section('worst', worst), section('best', best), section('good images, most suspected', good)].join('\n');
}

async function imageStrip(examples: readonly Example[], protocol: Protocol, what: string): Promise<string> {
  const pictures = await fewAtOnce(examples.slice(0, SHOWN_IMAGES), async (example) =>
    picture(await outlined(example, protocol), `${what} ${example.name}`),
  );
  return `<div class="strip">${pictures.join('')}</div>`;
}

/** Shows real images of each type above generated ones. */
export async function realAndGenerated(evaluator: Evaluator, { name, generated }: Row): Promise<string> {
  const { protocol } = evaluator;
  const sections: string[] = [];
  for (const [type, examples] of evaluator.split.training) {
    const made = generated?.[0]?.types.get(type) ?? [];
    sections.push(
      `<h3>${escapeHtml(type)}: real, then ${escapeHtml(name)}</h3>${await imageStrip(examples, protocol, `real ${type}`)}${await imageStrip(made, protocol, `${name} ${type}`)}`,
    );
  }
  return sections.join('\n');
}
