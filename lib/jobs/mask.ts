import { basename, parse, resolve } from 'node:path';
import { DatasetError } from '../core/errors.js';
import { writeFileAtomic } from '../core/files.js';
import { removePartialFiles } from '../core/partial-files.js';
import { pathInside } from '../core/path-inside.js';
import { lockFolder } from '../core/write-lock.js';
import { imagesIn, refuseSameStems, stemOf } from '../dataset/folders.js';
import { encodePng, readImage } from '../dataset/image-file.js';
import { fillLevel } from '../dataset/part-fill.js';
import { Masker } from '../model/masker.js';
import { checkOptions, given } from '../options/check.js';
import type { MaskJobOptions } from '../options/generated.js';
import { maskSchema } from '../options/jobs.js';
import { type JobContext, warnOf } from './job.js';

/** Holds the result of masking a folder of parts. */
export interface MaskResult {
  out: string;
  masks: number;
  emptyMasks: number;
}

/** Selects the parts among images. If masks are written to the same folder, those of an earlier call are left out. */
function partsOf(images: readonly string[], hasMasks: boolean): string[] {
  const masks = new Set(images.map((image) => `${stemOf(image)}_mask`));
  return images.filter((image) => !hasMasks || !masks.has(stemOf(image)));
}

/**
 * Makes a mask `<name>_mask.png` of every anomaly part in a folder.
 *
 * Throws ERR_DATASET_INVALID with the part that cannot be read, ERR_WEIGHTS_INVALID, and ERR_BUSY.
 */
export async function mask(options: MaskJobOptions, context: JobContext = {}): Promise<MaskResult> {
  const {
    parts,
    mask: method,
    maskWeights,
    maskThreshold: threshold,
    partFill,
    device,
    out: outFolder,
  } = checkOptions(maskSchema, options);
  const { signal, onEvent } = context;
  const folder = resolve(parts);
  const out = resolve(outFolder);
  const files = partsOf(await imagesIn(folder, out), folder === out);
  if (files.length === 0) throw new DatasetError(`${folder} holds no images`);
  refuseSameStems(files, (stem) => `the mask ${stem}_mask.png`);
  await using _lock = await lockFolder(out);
  await removePartialFiles(out, (name) => name.endsWith('_mask.png'));
  await using masker =
    method === 'threshold'
      ? Masker.threshold(given({ partFill, threshold }))
      : await Masker.load(maskWeights, given({ device, threshold }));
  let emptyMasks = 0;
  for (const [index, file] of files.entries()) {
    const found = await masker.mask(await readImage(file, { blank: fillLevel[partFill] }), given({ signal }));
    if (found.coverage === 0) {
      emptyMasks++;
      warnOf(`${basename(file)}: the mask is empty, no defect was found`, context);
    }
    await writeFileAtomic(pathInside(out, `${parse(file).name}_mask.png`), await encodePng(found));
    onEvent?.({ event: 'progress', stage: 'mask', unit: 'parts', done: index + 1, total: files.length });
  }
  return { out, masks: files.length, emptyMasks };
}
