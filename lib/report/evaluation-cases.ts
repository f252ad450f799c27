/** Shows the same test image with the maps of all runs side by side, the worst images first. */
import { join } from 'node:path';
import { fewAtOnce } from '../core/few-at-once.js';
import type { PixelData } from '../core/image.js';
import { decodeImage } from '../dataset/decode.js';
import { type Example, readExample } from '../dataset/example-file.js';
import { readImage } from '../dataset/image-file.js';
import { goodNameOf } from '../detect/squares.js';
import type { EvaluationRun } from '../evaluate/evaluation.js';
import type { Evaluator } from '../evaluate/evaluator.js';
import { falselyAlarmed, missedIn } from '../evaluate/misses.js';
import { mean } from '../evaluate/scores.js';
import type { TestedGood, TestedImage, TestedMap } from '../evaluate/tested-images.js';
import { escapeHtml, picture, shownAttributes } from './html.js';
import { outlined } from './overlay.js';
import type { Thumbnail, Thumbnails } from './thumbnails.js';

/** The number of worst and of best images of each type that are shown, and of the most suspected good images. */
const [WORST, BEST, SUSPECTED] = [9, 3, 9];

/** A range of scores, which are shown from black to white. */
type Range = [low: number, high: number];

/** A run with its tested images by their types and names. */
interface ShownRun {
  run: EvaluationRun;
  /** The lowest and the highest score of all maps. It is undefined for maps of probabilities. */
  range: Range | undefined;
  images: Map<string, TestedImage>;
  good: Map<string, TestedGood>;
}

/** The map of an image in one run, and what is said about it. */
interface ShownMap {
  of: ShownRun;
  tested: TestedMap;
  note: string;
  /** The map with the lowest number is the worst. */
  order: number;
  isBest: boolean;
}

const keyOf = (type: string, name: string) => JSON.stringify([type, name]);
const percent = (value: number) => (100 * value).toFixed(1);

function shownRun(run: EvaluationRun): ShownRun {
  const ranges = [...run.images, ...run.good].flatMap(({ range }) => (range === undefined ? [] : [range]));
  const lowest = ranges.reduce((low, range) => Math.min(low, range[0]), Number.POSITIVE_INFINITY);
  const highest = ranges.reduce((high, range) => Math.max(high, range[1]), Number.NEGATIVE_INFINITY);
  return {
    run,
    range: ranges.length === 0 ? undefined : [lowest, highest],
    images: new Map(run.images.map((image) => [keyOf(image.type, image.name), image])),
    good: new Map(run.good.map((image) => [image.name, image])),
  };
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

/** Returns the thumbnail of an example with the outline of its mask in red. */
export const outlineOf = (thumbnails: Thumbnails, { image, mask }: Example): Promise<Thumbnail> =>
  thumbnails.add('outline', [image, mask], async () => outlined(await readExample({ image, mask })));

/** Shows an image and its maps. */
async function caseHtml(
  thumbnails: Thumbnails,
  { type, name }: { type: string; name: string },
  image: Thumbnail,
  maps: readonly ShownMap[],
): Promise<string> {
  const figures = await fewAtOnce(maps, async ({ of: { run, range }, tested, note, isBest }) => {
    const file = join(thumbnails.folder, tested.map);
    const map = await thumbnails.add(`map ${JSON.stringify(range ?? null)}`, [file], () => readMap(file, range));
    const { row, detector } = run;
    const shown = picture(map, `${type} ${name}: ${note}, map of ${row}, ${detector}`, image);
    const caption = `${escapeHtml(`${row}, ${detector}`)}: <span${isBest ? ' class="best"' : ''}>${note}</span>`;
    return `<figure${shownAttributes({ row, detector })}>${shown}<figcaption>${caption}</figcaption></figure>`;
  });
  const label = `${type} ${name}`;
  const own = `<figure>${picture(image, `${label}, image`)}<figcaption>image</figcaption></figure>`;
  return `<article class="case"><h4>${escapeHtml(label)}</h4><div class="maps">${own}${figures.join('')}</div></article>`;
}

/** A test image with all its maps, to be sorted. */
interface Case<Image> {
  image: Image;
  maps: ShownMap[];
  order: number;
}

const sorted = <Image>(cases: readonly Case<Image>[]) =>
  cases.filter(({ maps }) => maps.length > 0).sort((a, b) => a.order - b.order);

/** Tells how many defects of an image a run missed, if it missed any. */
function missedText({ thresholds }: EvaluationRun, image: TestedImage): string {
  const missed = missedIn({ thresholds, images: [image] }).length;
  return missed === 0 ? '' : `, missed ${missed} of ${image.photograph?.defects.length}`;
}

function defectCase(type: string, image: Example, runs: readonly ShownRun[]): Case<Example> {
  const found = runs.flatMap((of) => {
    const tested = of.images.get(keyOf(type, image.name));
    return tested === undefined ? [] : [{ of, tested }];
  });
  const best = Math.max(...found.map(({ tested }) => tested.pixelAp));
  const maps = found.map(({ of, tested }) => {
    const { pixelAp } = tested;
    const isBest = found.length > 1 && pixelAp === best;
    const note = `pixel AP ${percent(pixelAp)}${missedText(of.run, tested)}`;
    return { of, tested, note, order: pixelAp, isBest };
  });
  return { image, maps, order: mean(maps.map(({ order }) => order)) };
}

/** Returns the share of a run's good images that are suspected less than each one. */
function suspicionOf({ run }: ShownRun): Map<string, number> {
  const byMean = [...run.good].sort((a, b) => a.meanProbability - b.meanProbability);
  return new Map(byMean.map(({ name }, rank) => [name, rank / byMean.length]));
}

/** Shows the images of each type, from those that the runs find worst on. */
async function defectSections(evaluator: Evaluator, runs: readonly ShownRun[], thumbnails: Thumbnails) {
  const sections: string[] = [];
  for (const [type, examples] of evaluator.split.testing) {
    const cases = sorted(examples.map((example) => defectCase(type, example, runs)));
    const isShown = (i: number) => i < WORST || i >= cases.length - BEST;
    const shown = cases.filter((_, i) => isShown(i));
    const html: string[] = [];
    for (const { image, maps } of shown) {
      const { name } = image;
      html.push(await caseHtml(thumbnails, { type, name }, await outlineOf(thumbnails, image), maps));
    }
    const count = shown.length < cases.length ? `the ${WORST} worst and the ${BEST} best of ${cases.length}` : 'all';
    sections.push(
      `<section${shownAttributes({ type })}><h3>${escapeHtml(type)}: ${count}, worst first</h3>${html.join('\n')}</section>`,
    );
  }
  return sections;
}

/** Shows the good images that the runs suspect most. Scores of two detectors cannot be compared, but their ranks can. */
async function goodSection(evaluator: Evaluator, runs: readonly ShownRun[], thumbnails: Thumbnails) {
  const suspicions = runs.map(suspicionOf);
  const cases = sorted(
    evaluator.split.testingGood.map((image) => {
      const name = goodNameOf(image);
      const maps = runs.flatMap((of, i) => {
        const tested = of.good.get(name);
        if (tested === undefined) return [];
        const { meanProbability: value, range } = tested;
        const average = range ? `mean score ${value.toPrecision(3)}` : `mean probability ${percent(value)}`;
        const isAlarm = falselyAlarmed({ ...runs[i]?.run, good: [tested] }).length > 0;
        const note = `${average}${isAlarm ? ', false alarm' : ''}`;
        return [{ of, tested, note, order: -(suspicions[i]?.get(name) as number), isBest: false }];
      });
      return { image, maps, order: mean(maps.map(({ order }) => order)) };
    }),
  ).slice(0, SUSPECTED);
  if (cases.length === 0) return '';
  const html: string[] = [];
  for (const { image, maps } of cases) {
    const shown = await thumbnails.add('image', [image], () => readImage(image));
    html.push(await caseHtml(thumbnails, { type: 'good', name: goodNameOf(image) }, shown, maps));
  }
  return `<section><h3>Good images, most suspected first</h3>${html.join('\n')}</section>`;
}

/** Shows the maps of all runs side by side for the worst and the best images of each type, and for good images. */
export async function caseSections(
  evaluator: Evaluator,
  runs: readonly EvaluationRun[],
  thumbnails: Thumbnails,
): Promise<string> {
  const shown = runs.map(shownRun);
  const defects = await defectSections(evaluator, shown, thumbnails);
  return [...defects, await goodSection(evaluator, shown, thumbnails)].join('\n');
}
