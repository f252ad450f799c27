/** Shows generated pairs as their review left them, those that need a look first, and their shapes beside the real ones. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderToString } from 'preact-render-to-string';
import { html } from '../components/html.js';
import type { Shape } from '../components/pair.js';
import { ShapeHistograms } from '../components/shape-histograms.js';
import { SUSPICIONS } from '../components/words.js';
import type { RawImage } from '../core/image.js';
import { packageRoot } from '../core/paths.js';
import { type DefectShape, shapesIn } from '../dataset/defect-shape.js';
import { fewAtOnce } from '../dataset/few-at-once.js';
import { readImage } from '../dataset/image-file.js';
import { readMask } from '../dataset/mask-file.js';
import { measurePair } from '../dataset/measure-pair.js';
import type { PairRecord } from '../dataset/pair-record.js';
import { SUSPICIONS as ALL_SUSPICIONS, sizeRangeOf, suspicionRank, suspicionsOf } from '../dataset/pair-suspicion.js';
import { evenly } from '../dataset/region-plan.js';
import { type PairReview, reviewsOf } from '../dataset/reviews.js';
import { describePair, describeReview } from './describe-pair.js';
import { outlined } from './overlay.js';
import { PAIR_DATA, PAIR_ROOT } from './page/names.js';
import { type ListedPair, PairList, type Picture } from './page/pair-list.js';
import type { Thumbnails } from './thumbnails.js';

/** The real defects that generated ones are compared with. */
export interface RealDefects {
  /** The shapes of the defects in each image, measured in images that show as much as the pairs do. */
  images: readonly (readonly DefectShape[])[];
  /** True if pairs show whole photographs, so that positions in them mean something. */
  showsPlaces: boolean;
}

/** The largest number of pairs that are shown, and that are measured for the histograms. */
const MOST_PAIRS = 1000;

/** A pair with its review, which is empty if nobody has reviewed it. */
interface Reviewed {
  record: PairRecord;
  review: PairReview;
}

/** Returns the record with the mask in use. */
function inUse({ record, review }: Reviewed): PairRecord {
  return review.mask ? { ...record, mask: review.mask.path } : record;
}

async function picturesOf(thumbnails: Thumbnails, folder: string, record: PairRecord): Promise<Picture[]> {
  const image = join(folder, record.image);
  let decoded: Promise<RawImage> | undefined; // It is needed twice, and decoding takes longer than drawing.
  const readOnce = () => {
    decoded ??= readImage(image);
    return decoded;
  };
  const show = async (kind: string, file: string, read = () => readImage(file)) => ({
    kind,
    ...(await thumbnails.add('image', [file], read)),
  });
  const pictures = [await show('image', image, readOnce), await show('part', join(folder, record.part))];
  if (record.mask === undefined) return pictures;
  const mask = join(folder, record.mask);
  const draw = async () => outlined({ image: await readOnce(), mask: await readMask(mask) });
  const outline = { kind: 'outline', ...(await thumbnails.add('outline', [image, mask], draw)) };
  return [...pictures, await show('mask', mask), outline];
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
  thumbnails: Thumbnails,
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
      const record = inUse(pair);
      const { measures, mask } = await measurePair(folder, record);
      if (mask && measured.has(pair)) shapes.push(shapesIn(mask));
      if (!shown.has(pair)) return [];
      const described = { ...describePair(pair.record, measures, range), ...describeReview(pair.review, measures) };
      const pictures = measures.problem === undefined ? await picturesOf(thumbnails, folder, record) : [];
      return [{ ...described, pictures }];
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
