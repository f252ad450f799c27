/** Shows generated pairs as their review left them, those that need a look first, and their shapes beside the real ones. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderToString } from 'preact-render-to-string';
import { html } from '../components/html.js';
import type { Shape } from '../components/pair.js';
import { ShapeHistograms } from '../components/shape-histograms.js';
import { SUSPICIONS } from '../components/words.js';
import { fewAtOnce } from '../core/few-at-once.js';
import { packageRoot } from '../core/paths.js';
import type { DefectShape } from '../dataset/defect-shape.js';
import type { PairRecord } from '../dataset/pair-record.js';
import { SUSPICIONS as ALL_SUSPICIONS, sizeRangeOf, suspicionRank, suspicionsOf } from '../dataset/pair-suspicion.js';
import { evenly } from '../dataset/region-plan.js';
import { type PairReview, reviewsOf } from '../dataset/reviews.js';
import { describePair, describeReview } from './describe-pair.js';
import { PAIR_DATA, PAIR_ROOT } from './page/names.js';
import { type ListedPair, PairList } from './page/pair-list.js';
import type { PairPictures } from './pair-pictures.js';

/** The real defects that generated ones are compared with. */
export interface RealDefects {
  /** The shapes of the defects in each image, measured in images that show as much as the pairs do. */
  images: readonly (readonly DefectShape[])[];
  /** True if pairs show whole photographs, so that positions in them mean something. */
  showsPlaces: boolean;
}

/** The largest number of pairs that are shown, and that are measured for the histograms. */
export const MOST_PAIRS = 1000;

/** A pair with its review, which is empty if nobody has reviewed it. */
interface Reviewed {
  record: PairRecord;
  review: PairReview;
}

/** Returns the record with the mask in use. */
function inUse({ record, review }: Reviewed): PairRecord {
  return review.mask ? { ...record, mask: review.mask.path } : record;
}

/** Counts the pairs that need a look, with the reasons. A pair may have several. */
function summaryOf(pairs: readonly Reviewed[], suspicions: ReadonlyMap<Reviewed, readonly string[]>): string {
  const dropped = pairs.filter(({ review }) => review.decision === 'drop').length;
  const corrected = pairs.filter(({ review }) => review.decision !== 'drop' && review.mask).length;
  const undecided = pairs.filter(({ review }) => review.decision === undefined && !review.mask);
  const reasons = undecided.map((pair) => suspicions.get(pair) ?? []).filter(({ length }) => length > 0);
  const counts = ALL_SUSPICIONS.map((one) => [SUSPICIONS[one], reasons.filter((own) => own.includes(one)).length]);
  const list = counts.filter(([, count]) => count !== 0).map((count) => count.join(' '));
  const texts = [
    ...(dropped > 0 ? [`Dropped in review: ${dropped}.`] : []),
    ...(corrected > 0 ? [`Masks corrected in review: ${corrected}.`] : []),
    reasons.length > 0
      ? `${reasons.length} of ${undecided.length} pairs that nobody has decided about need a look: ${list.join(', ')}.`
      : 'No pair that nobody has looked at is suspicious by its numbers.',
  ];
  return texts.join(' ');
}

/** The script that makes the pairs filterable. `npm run build` bundles it. */
export const pairScript = (): string => readFileSync(join(packageRoot, 'dist', 'report', 'pairs.js'), 'utf8');

/** Returns JSON that HTML does not take for the end of a script. */
const jsonInHtml = (value: unknown) => JSON.stringify(value).replaceAll('<', '\\u003c');

/**
 * Shows the pairs of a folder with their review, and histograms of their defects. Throws ERR_FILE_ACCESS with the line of
 * `reviews.jsonl` that is invalid.
 */
export async function pairSection(
  pictures: PairPictures,
  folder: string,
  records: readonly PairRecord[],
  real: RealDefects,
): Promise<{ summary: string; pairs: string; shapes: string }> {
  const reviews = await reviewsOf(folder, records);
  const range = sizeRangeOf(real.images);
  const all = records.map((record): Reviewed => ({ record, review: reviews.get(record.index) ?? {} }));
  const suspicions = new Map(all.map((pair) => [pair, suspicionsOf(pair.record, range)]));
  const isDecided = ({ review }: Reviewed) => review.decision !== undefined || review.mask !== undefined;
  const rank = (pair: Reviewed) => suspicionRank(isDecided(pair) ? [] : (suspicions.get(pair) ?? []));
  const shown = new Set([...all].sort((a, b) => rank(a) - rank(b)).slice(0, MOST_PAIRS));
  const measured = new Set(
    evenly(
      all.filter(({ record, review }) => record.mask !== undefined && review.decision !== 'drop'),
      MOST_PAIRS,
    ),
  );
  const shapes: Shape[][] = [];
  const listed = await fewAtOnce(
    all.filter((pair) => shown.has(pair) || measured.has(pair)),
    async (pair): Promise<ListedPair[]> => {
      const needsPictures = shown.has(pair);
      const { measures, shapes: own, pictures: drawn } = await pictures.of(inUse(pair), { needsPictures });
      if (measured.has(pair)) shapes.push(own);
      if (!needsPictures) return [];
      const described = { ...describePair(pair.record, measures, range), ...describeReview(pair.review, measures) };
      return [{ ...described, pictures: drawn }];
    },
  );
  const pairs = listed.flat();
  const rest = pairs.length < all.length ? ` ${pairs.length} of ${all.length} are shown.` : '';
  const histograms = { generated: shapes.flat(), real: real.images.flat(), showsPlaces: real.showsPlaces };
  const drawn = renderToString(html`<${ShapeHistograms} ...${histograms} />`);
  return {
    summary: summaryOf(all, suspicions),
    pairs: `<p>Image, anomaly part, mask, and the mask's outline on the image.${rest}</p>
<div id="${PAIR_ROOT}">${renderToString(html`<${PairList} pairs=${pairs} />`)}</div>
<script type="application/json" id="${PAIR_DATA}">${jsonInHtml(pairs)}</script>`,
    shapes: drawn && `<h2>Sizes${real.showsPlaces ? ' and positions' : ''}</h2><div id="shapes">${drawn}</div>`,
  };
}
