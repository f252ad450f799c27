/** The table of the generated sets' quality. */
import type { Quality } from './quality.js';
import { SHOTS } from './table.js';

const number = (value: number | null | undefined, digits = 3) =>
  value === undefined || value === null ? '-' : value.toFixed(digits);
const percent = (value: number | null | undefined) =>
  value === undefined || value === null ? '-' : `${(100 * value).toFixed(0)} %`;

/** What the measures that compare features do not tell. */
export const FEATURES_CAVEAT =
  'Features names the network that compares the images for all columns up to copies. It was trained on ImageNet, so it may overlook what is unlike everyday pictures. Compare rows with the same features only.';

/** The measures, their text, and what each does not tell. */
export const QUALITY_COLUMNS: readonly { name: string; text: (quality: Quality) => string; caveat: string }[] = [
  {
    name: 'kernel distance',
    text: ({ kid }) => number(kid, 4),
    caveat:
      "The kernel distance compares all generated images with the real training images of the type. It knows nothing of masks, and varies much for few real images: compare rows of one table, and no others. With the features of inception-v3 it is KID; that network is torchvision's, not the one of published FID and KID figures.",
  },
  {
    name: 'nearest real',
    text: ({ nearest }) => number(nearest),
    caveat:
      'Nearest real is the median distance from a generated image to the nearest training image. It is low for copies, and high for images that do not look real.',
  },
  {
    name: 'real to real',
    text: ({ nearestReal }) => number(nearestReal),
    caveat:
      'Real to real is the same distance from a training image to the nearest one of another part. A good generated set has a nearest real about as high.',
  },
  {
    name: 'copies',
    text: ({ copies }) => percent(copies),
    caveat:
      'Copies are generated images that are nearer to a training image than any two training images of different parts are to each other. With place and augment most of an image is a real photograph, so that many count as copies that have a new defect.',
  },
  {
    name: 'Inception Score',
    text: ({ inceptionScore }) => number(inceptionScore),
    caveat:
      'The Inception Score rewards images that resemble different classes of ImageNet. It does not compare them with real images, and has been found to say little about the use of defects (ASBench, arXiv 2510.07927).',
  },
  {
    name: 'IC-LPIPS',
    text: ({ icLpips }) => number(icLpips),
    caveat:
      'IC-LPIPS is the variety of images around the same real image. Noise raises it as well as new defects, and it has been found to mislead (ASBench).',
  },
];

/** Returns the cells of a line, without the labels. */
export const qualityCells = (quality: Quality): string[] => [
  String(quality.images),
  ...QUALITY_COLUMNS.map(({ text }) => text(quality)),
];

/** Returns the labels of a line. */
export const qualityLabels = ({ type, shots, row, features }: Quality): (string | number)[] => [
  ...[type, ...(shots === undefined ? [] : [shots]), row],
  features ?? '-',
];

/** Returns the names of the labels. The number of real photographs is one of them if it differs between lines. */
const labelNames = (quality: readonly Quality[]) => [
  ...['type', ...(quality.some(({ shots }) => shots !== undefined) ? [SHOTS] : []), 'generated'],
  'features',
];

/** Returns the names of all columns. */
export const qualityHeader = (quality: readonly Quality[]): string[] => [
  ...labelNames(quality),
  ...['images', ...QUALITY_COLUMNS.map(({ name }) => name)],
];

/** Returns the table as Markdown. The list is empty if nothing was measured. */
export function qualityTable(quality: readonly Quality[]): string[] {
  if (quality.length === 0) return [];
  const columns = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const header = qualityHeader(quality);
  const align = header.map((_, i) => (i < labelNames(quality).length ? '---' : '---:'));
  const body = quality.map((one) => columns([...qualityLabels(one).map(String), ...qualityCells(one)]));
  return [[columns(header), columns(align), ...body].join('')];
}
