import { readdir } from 'node:fs/promises';
import { join, parse, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { encodePng, IMAGE_ENDINGS, readImage } from '../dataset/image-file.js';
import { DatasetError, withFileErrors } from '../errors.js';
import { writeFileAtomic } from '../files.js';
import { Masker } from '../masker.js';
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
    const files = (await withFileErrors('read', folder, () => readdir(folder)))
      .filter((name) => IMAGE_ENDINGS.test(name))
      .sort();
    if (files.length === 0) throw new DatasetError(`${folder} holds no images`);
    const { threshold, partFill, device } = flags;
    await using masker =
      flags.method === 'threshold'
        ? Masker.threshold(given({ partFill, threshold }))
        : await Masker.load(flags.weights, given({ device, threshold }));
    const bar = io.progress('masking', files.length, 'parts');
    let empty = 0;
    try {
      for (const [index, file] of files.entries()) {
        const mask = await masker.mask(await readImage(join(folder, file)), { signal });
        if (mask.coverage === 0) {
          empty++;
          io.warn(`${file}: the mask is empty, no defect was found`);
        }
        await writeFileAtomic(join(resolve(flags.out), `${parse(file).name}_mask.png`), await encodePng(mask));
        bar.update(index + 1);
      }
    } finally {
      bar.stop();
    }
    io.result(`${files.length} masks in ${flags.out}, ${empty} empty`, {
      masks: files.length,
      emptyMasks: empty,
      out: resolve(flags.out),
    });
  });
}
