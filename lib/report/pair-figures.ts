/** Shows generated pairs, those that need a look first. */
import { join } from 'node:path';
import { fewAtOnce } from '../dataset/few-at-once.js';
import { readImage } from '../dataset/image-file.js';
import { readMask } from '../dataset/mask-file.js';
import type { PairRecord } from '../dataset/pair-record.js';
import { type SizeRange, SUSPICIONS, type Suspicion, suspicionRank, suspicionsOf } from '../dataset/pair-suspicion.js';
import { picture } from './html.js';
import { outlined } from './overlay.js';
import type { Thumbnails } from './thumbnails.js';

/** The largest number of generated pairs that are shown. With more, the page would be slow to open. */
const SHOWN_PAIRS = 1000;

/** What the page says of each reason to look at a pair. */
const REASONS: Record<Suspicion, string> = {
  empty: 'empty mask',
  invisible: 'invisible defect',
  disagreeing: 'masks disagree',
  extreme: 'extreme size',
};

/** A pair, and the reasons to look at it. */
export interface JudgedPair {
  record: PairRecord;
  reasons: Suspicion[];
}

/** Returns the pairs with the reasons to look at them: those with the most serious reasons first. */
export const judgedPairs = (records: readonly PairRecord[], real: SizeRange | undefined): JudgedPair[] =>
  records
    .map((record) => ({ record, reasons: suspicionsOf(record, real) }))
    .sort((a, b) => suspicionRank(a.reasons) - suspicionRank(b.reasons) || a.record.index - b.record.index);

/** Counts the pairs that need a look, and the reasons. A pair may have several. */
export function summaryOf(pairs: readonly JudgedPair[]): string {
  const counts = SUSPICIONS.map((reason) => ({
    reason,
    count: pairs.filter(({ reasons }) => reasons.includes(reason)).length,
  })).filter(({ count }) => count > 0);
  const suspicious = pairs.filter(({ reasons }) => reasons.length > 0).length;
  if (suspicious === 0) return 'No pair looks wrong by its numbers.';
  const list = counts.map(({ reason, count }) => `${REASONS[reason]} ${count}`).join(', ');
  return `${suspicious} of ${pairs.length} pairs need a look, and come first: ${list}.`;
}

async function pairFigure(thumbnails: Thumbnails, folder: string, { record, reasons }: JudgedPair): Promise<string> {
  const { index, mask, coverage } = record;
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
  const size = coverage === undefined ? [] : [`${(100 * coverage).toFixed(1)} % of the image`];
  const note = [String(index), ...size, ...reasons.map((reason) => REASONS[reason])].join(' — ');
  const kind = reasons.length > 0 ? 'pair suspicious' : 'pair';
  return `<figure class="${kind}">${pictures.join('')}<figcaption>${note}</figcaption></figure>`;
}

/** Shows the first pairs: image, anomaly part, mask, and the mask's outline on the image. */
export async function pairFigures(
  thumbnails: Thumbnails,
  folder: string,
  pairs: readonly JudgedPair[],
): Promise<string> {
  const shown = pairs.slice(0, SHOWN_PAIRS);
  const figures = await fewAtOnce(shown, (pair) => pairFigure(thumbnails, folder, pair));
  const rest = shown.length < pairs.length ? ` ${shown.length} of ${pairs.length} are shown.` : '';
  return `<p>Image, anomaly part, mask, and the mask's outline on the image.${rest}</p>
<div class="grid-of" id="pairs">${figures.join('\n')}</div>`;
}
