import { basename, parse, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { DatasetError } from '../core/errors.js';
import { writeFileAtomic } from '../core/files.js';
import { removePartialFiles } from '../core/partial-files.js';
import { pathInside } from '../core/path-inside.js';
import { lockFolder } from '../core/write-lock.js';
import { imagesIn, refuseSameStems, stemOf } from '../dataset/folders.js';
import { encodePng, readImage } from '../dataset/image-file.js';
import { fillLevel } from '../dataset/part-fill.js';
import { Masker } from '../model/masker.js';
import { given } from '../options/check.js';
import { addProfileOption, number } from './options.js';
import type { Runner } from './runner.js';

interface Flags {
  parts: string;
  out: string;
  method: 'u2net' | 'threshold';
  weights?: string;
  threshold?: number;
  partFill: 'grey' | 'black';
  device: string;
}

/** Without the masks that an earlier call has left, where they lie beside the parts. */
function partsOf(images: readonly string[], masksAmong: boolean): string[] {
  const masks = new Set(images.map((image) => `${stemOf(image)}_mask`));
  return images.filter((image) => !masksAmong || !masks.has(stemOf(image)));
}

export function addMask(program: Command, runner: Runner): void {
  const command = program
    .command('mask')
    .description('make masks of anomaly parts')
    .requiredOption('--parts <dir>', 'folder of part images')
    .requiredOption('--out <dir>', 'folder for the masks')
    .addOption(new Option('--method <name>', 'how masks are made').choices(['u2net', 'threshold']).default('u2net'))
    .option('--weights <file>', 'U2-Net weights, .pth or .safetensors (default: the embedded ones)')
    .option('--threshold <x>', 'threshold of saliency (0.5) or of distance from the fill (0.12)', number)
    .addOption(new Option('--part-fill <how>', 'blank of the parts').choices(['grey', 'black']).default('grey'))
    .option('--device <name>', 'auto, cpu, cuda or cuda:N', 'auto');
  addProfileOption(command);
  runner.attach(command, async (flags: Flags, { signal, io }) => {
    const folder = resolve(flags.parts);
    const out = resolve(flags.out);
    const files = partsOf(await imagesIn(folder, out), folder === out);
    if (files.length === 0) throw new DatasetError(`${folder} holds no images`);
    refuseSameStems(files, (stem) => `the mask ${stem}_mask.png`);
    const { threshold, partFill, device } = flags;
    await using _lock = await lockFolder(out);
    await removePartialFiles(out, (name) => name.endsWith('_mask.png'));
    await using masker =
      flags.method === 'threshold'
        ? Masker.threshold(given({ partFill, threshold }))
        : await Masker.load(flags.weights, given({ device, threshold }));
    const bar = io.progress('masking', files.length, 'parts');
    let empty = 0;
    try {
      for (const [index, file] of files.entries()) {
        const mask = await masker.mask(await readImage(file, { blank: fillLevel[partFill] }), { signal });
        if (mask.coverage === 0) {
          empty++;
          io.warn(`${basename(file)}: the mask is empty, no defect was found`);
        }
        await writeFileAtomic(pathInside(out, `${parse(file).name}_mask.png`), await encodePng(mask));
        bar.update(index + 1);
      }
    } finally {
      bar.stop();
    }
    io.result(`${files.length} masks in ${flags.out}, ${empty} empty`, {
      masks: files.length,
      emptyMasks: empty,
      out,
    });
  });
}
