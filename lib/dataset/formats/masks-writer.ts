/** Writes images, and masks of 0 and 255 with the same names. A mask marks the defects of all types of its image. */
import { encodePng } from '../image-file.js';
import { type ExportPlan, type FormatWriter, placeIn, saveImage, writeStaged } from './format-writer.js';
import { unitedMask } from './united-mask.js';

export function openMasks({ folder }: ExportPlan): FormatWriter<undefined> {
  return {
    async write(image) {
      const place = await saveImage(folder, image, 'images');
      const mask = placeIn(image.set, 'masks', `${image.name}.png`);
      await writeStaged(folder, mask, await encodePng(unitedMask(image)));
      return { files: { image: place, mask }, entry: undefined };
    },
    async finish() {},
  };
}
