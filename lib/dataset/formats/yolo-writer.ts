/** Writes the segmentation format of YOLO: images, a text file of polygons for each, and `data.yaml`. */
import { defectsIn } from '../components.js';
import { type ExportPlan, type FormatWriter, placeIn, saveImage, writeStaged } from './format-writer.js';
import type { LoadedImage } from './loaded-image.js';
import { polygonsOf } from './polygons.js';

/** Coordinates are shares of the width and height with this number of digits. */
const DIGITS = 6;

/**
 * Returns a line for each component of each defect: the number of its type, and the corners of its polygon. Coordinates
 * are those of the middles of pixels, so that a program that rounds them down finds the same pixels again.
 */
function linesOf({ types, polygonError }: ExportPlan, { defects, width, height }: LoadedImage): string[] {
  const share = (value: number, extent: number) => ((value + 0.5) / extent).toFixed(DIGITS);
  return defects.flatMap(({ type, mask }) =>
    defectsIn(mask, 0)
      .flatMap((defect) => polygonsOf(defect, polygonError))
      .map((polygon) => {
        const corners = polygon.map(({ x, y }) => `${share(x, width)} ${share(y, height)}`);
        return `${types.indexOf(type)} ${corners.join(' ')}\n`;
      }),
  );
}

/** Returns `data.yaml`. With a split, networks train on generated images and are validated on real ones. */
function dataYaml({ category, types, sets, polygonError }: ExportPlan): string {
  const isSplit = sets.includes('generated');
  const note = isSplit
    ? 'Networks train on generated images and are validated on real ones.'
    : 'All images are in one folder: divide them before you train.';
  return [
    `# ${JSON.stringify(category)}, exported by dualanodiff. files.jsonl says which images are synthetic.`,
    `# ${note} Polygons differ from the masks by at most ${polygonError} pixels.`,
    `train: ${placeIn(isSplit ? 'generated' : '', 'images', '')}`,
    `val: ${placeIn(isSplit ? 'real' : '', 'images', '')}`,
    'names:',
    ...types.map((type, index) => `  ${index}: ${JSON.stringify(type)}`),
    '',
  ].join('\n');
}

export function openYolo(plan: ExportPlan): FormatWriter<undefined> {
  return {
    async write(image) {
      const label = placeIn(image.set, 'labels', `${image.name}.txt`);
      const place = await saveImage(plan.folder, image, 'images');
      await writeStaged(plan.folder, label, linesOf(plan, image).join(''));
      return { files: [{ image: place, label }], entry: undefined };
    },
    finish: () => writeStaged(plan.folder, 'data.yaml', dataYaml(plan)),
  };
}
