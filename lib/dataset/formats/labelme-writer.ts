/** Writes a JSON file of labelme beside each image, with the defects as masks. */
import type { PixelData } from '../../core/image.js';
import { type Defect, defectsIn } from '../components.js';
import { encodePng } from '../image-file.js';
import { type ExportPlan, type FormatWriter, placeIn, saveImage, writeStaged } from './format-writer.js';
import type { LoadedImage } from './loaded-image.js';

/** The first version of labelme that knows shapes of masks. */
const VERSION = '5.2.0';

/** Returns the mask of one defect alone, in its box. */
function maskIn({ box, runs }: Defect): PixelData {
  const data = new Uint8Array(box.width * box.height);
  for (const { y, start, end } of runs) {
    const row = (y - box.top) * box.width - box.left;
    data.fill(255, row + start, row + end);
  }
  return { data, width: box.width, height: box.height, channels: 1 };
}

async function shapeOf(label: string, defect: Defect): Promise<object> {
  const { left, top, width, height } = defect.box;
  return {
    label,
    points: [
      [left, top],
      [left + width - 1, top + height - 1],
    ],
    group_id: null,
    description: '',
    shape_type: 'mask',
    flags: {},
    mask: (await encodePng(maskIn(defect))).toString('base64'),
  };
}

async function contentOf({ name, ending, width, height, defects, provenance }: LoadedImage): Promise<object> {
  const shapes: object[] = [];
  for (const { type, mask } of defects) {
    for (const defect of defectsIn(mask, 0)) shapes.push(await shapeOf(type, defect));
  }
  return {
    version: VERSION,
    flags: { synthetic: provenance.synthetic },
    shapes,
    ...{ imagePath: `${name}${ending}`, imageData: null, imageHeight: height, imageWidth: width },
    ...provenance,
  };
}

export function openLabelme({ folder }: ExportPlan): FormatWriter<undefined> {
  return {
    async write(image) {
      const label = placeIn(image.set, '', `${image.name}.json`);
      const place = await saveImage(folder, image);
      await writeStaged(folder, label, `${JSON.stringify(await contentOf(image), undefined, 2)}\n`);
      return { files: [{ image: place, label }], entry: undefined };
    },
    async finish() {},
  };
}
