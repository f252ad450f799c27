/** Writes the folders that anomalib's datamodule `Folder` reads, and its YAML file. */
import { DatasetError } from '../../core/errors.js';
import { encodePng } from '../image-file.js';
import { type ExportPlan, type FormatWriter, placeIn, saveImage, writeStaged } from './format-writer.js';
import type { ExportSet } from './loaded-image.js';
import { unitedMask } from './united-mask.js';

const NORMAL = 'normal';
const NORMAL_TEST = 'normal_test';
const ABNORMAL = 'abnormal';
const MASK = 'mask';

const yamlNameOf = (set: ExportSet) => `${set === '' ? 'folder' : set}.yaml`;

/** Returns the datamodule of one set of defects. All sets share the good images. */
function datamodule({ category, hasGood }: ExportPlan, set: ExportSet): string {
  return [
    `# Run anomalib in this folder: anomalib train --model Patchcore --data ${yamlNameOf(set)}`,
    '# files.jsonl says which images are synthetic.',
    'class_path: anomalib.data.Folder',
    'init_args:',
    `  name: ${JSON.stringify(category)}`,
    '  root: .',
    `  normal_dir: ${NORMAL}`,
    ...(hasGood.test ? [`  normal_test_dir: ${NORMAL_TEST}`] : []),
    `  abnormal_dir: ${placeIn(set, ABNORMAL, '')}`,
    `  mask_dir: ${placeIn(set, MASK, '')}`,
    '',
  ].join('\n');
}

/** Throws ERR_DATASET_INVALID without good images for training, because `Folder` needs them. */
export function openAnomalib(plan: ExportPlan): FormatWriter<undefined> {
  const { folder, category, sets } = plan;
  if (!plan.hasGood.train) {
    throw new DatasetError(
      `${category} has no good images for training, which anomalib needs: give a category folder with train/good as data, and pairs with the option pairs`,
    );
  }
  return {
    async write(image) {
      if (image.defects.length === 0) {
        const place = image.origin === 'test' ? NORMAL_TEST : NORMAL;
        return { files: [{ image: await saveImage(folder, { ...image, set: '' }, place) }], entry: undefined };
      }
      const mask = placeIn(image.set, MASK, `${image.name}.png`);
      const place = await saveImage(folder, image, ABNORMAL);
      await writeStaged(folder, mask, await encodePng(unitedMask(image)));
      return { files: [{ image: place, mask }], entry: undefined };
    },
    async finish() {
      for (const set of sets) await writeStaged(folder, yamlNameOf(set), datamodule(plan, set));
    },
  };
}
