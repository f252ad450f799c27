/** Writes COCO: images, and a JSON file for each set with masks as run-length code. */
import { defectsIn } from '../components.js';
import { encodeRle } from './encode-rle.js';
import { type ExportPlan, type FormatWriter, placeIn, saveImage, type WrittenImage } from './format-writer.js';
import type { ExportSet, LoadedImage } from './loaded-image.js';
import { TextFile } from './text-file.js';

/** An image's entry, and those of its defects without their ids. */
interface Entry {
  image: object;
  annotations: object[];
}

/** The JSON file of one set. Annotations are written at once, and the short entries of images follow at the end. */
interface SetFile {
  file: TextFile;
  images: string[];
  annotations: number;
}

const jsonFileOf = (set: ExportSet) => placeIn('', 'annotations', `instances${set === '' ? '' : `_${set}`}.json`);

/** Returns a JSON object without its closing brace and bracket, so that the list `annotations` can grow. */
function headOf({ category, types }: ExportPlan): string {
  const categories = types.map((name, index) => ({ id: index + 1, name, supercategory: 'defect' }));
  const info = { description: `${category}, exported by dualanodiff`, version: '1.0' };
  return `{"info":${JSON.stringify(info)},"licenses":[],"categories":${JSON.stringify(categories)},\n"annotations":[`;
}

/** Returns the entries of an image. Each defect is one annotation. */
function entryOf({ types }: ExportPlan, image: LoadedImage, fileName: string): Entry {
  const { index, width, height, defects, provenance } = image;
  const annotations = defects.flatMap(({ type, mask }) =>
    defectsIn(mask, 0).map((defect) => ({
      image_id: index + 1,
      category_id: types.indexOf(type) + 1,
      segmentation: { size: [height, width], counts: encodeRle(defect, image) },
      area: defect.area,
      bbox: [defect.box.left, defect.box.top, defect.box.width, defect.box.height],
      iscrowd: 0,
      attributes: { synthetic: provenance.synthetic },
    })),
  );
  return { image: { id: index + 1, file_name: fileName, width, height, ...provenance }, annotations };
}

export async function openCoco(plan: ExportPlan): Promise<FormatWriter<Entry>> {
  const files = new Map<ExportSet, SetFile>();
  for (const set of plan.sets) {
    const file = await TextFile.create(await plan.folder.pathOf(jsonFileOf(set)));
    files.set(set, { file, images: [], annotations: 0 });
    await file.append(headOf(plan));
  }
  return {
    async write(image): Promise<WrittenImage<Entry>> {
      const place = await saveImage(plan.folder, image, 'images');
      const entry = entryOf(plan, image, `${image.name}${image.ending}`);
      return { files: [{ image: place, label: jsonFileOf(image.set) }], entry };
    },
    async list({ set }, { image, annotations }) {
      const own = files.get(set) as SetFile;
      own.images.push(JSON.stringify(image));
      for (const annotation of annotations) {
        const text = JSON.stringify({ id: own.annotations + 1, ...annotation });
        await own.file.append(`${own.annotations === 0 ? '\n' : ',\n'}${text}`);
        own.annotations++;
      }
    },
    async finish() {
      for (const { file, images } of files.values()) {
        await file.append('],\n"images":[');
        for (const [i, image] of images.entries()) await file.append(`${i === 0 ? '\n' : ',\n'}${image}`);
        await file.append(']}\n');
        await file.close();
      }
    },
    async close() {
      for (const { file } of files.values()) await file[Symbol.asyncDispose]();
    },
  };
}
