/** Writes images in a folder for each defect type, and masks of 0 and 255 with the same names in folders beside them. */
import { RawImage } from '../../core/image.js';
import { GOOD_TYPE } from '../../options/type-name.js';
import { encodePng } from '../image-file.js';
import { type ExportPlan, type FormatWriter, placeIn, saveImage, writeStaged } from './format-writer.js';
import type { LoadedImage } from './loaded-image.js';

/** Returns the masks of an image by type. A good image has an empty one. */
function masksOf({ defects, width, height }: LoadedImage): LoadedImage['defects'] {
  if (defects.length > 0) return defects;
  return [
    { type: GOOD_TYPE, mask: new RawImage({ data: new Uint8Array(width * height), width, height, channels: 1 }) },
  ];
}

/** An image of several types lies in the folder of each, with the mask of that type. */
export function openMasks({ folder }: ExportPlan): FormatWriter<undefined> {
  return {
    async write(image) {
      const files = [];
      for (const { type, mask } of masksOf(image)) {
        const place = await saveImage(folder, { ...image, set: '' }, image.set, 'images', type);
        const maskPlace = placeIn(image.set, '', `masks/${type}/${image.name}.png`);
        await writeStaged(folder, maskPlace, await encodePng(mask));
        files.push({ image: place, mask: maskPlace, types: image.defects.length > 0 ? [type] : [] });
      }
      return { files, entry: undefined };
    },
    async finish() {},
  };
}
