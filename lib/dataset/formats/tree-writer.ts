/** Writes images and masks as a category in MVTec AD's layout. */
import { copyFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { withFileErrors } from '../../core/errors.js';
import { COPY } from '../../core/files.js';
import type { PixelData } from '../../core/image.js';
import type { StagedFolder } from '../../core/staged-folder.js';
import { GOOD_TYPE } from '../../options/type-name.js';
import type { Purpose } from '../contents.js';
import { imageEnding } from '../decode.js';
import { encodePng } from '../image-file.js';
import { contentOf, type ImageSource } from '../image-source.js';

/** Writes the files of one category. Names must be unique in their type, since no file is written twice. */
export class TreeWriter {
  constructor(private readonly folder: StagedFolder) {}

  /** Writes an image of a defect with its mask. */
  async writeDefect(type: string, name: string, image: ImageSource, mask: PixelData): Promise<void> {
    await this.#writeImage(['test', type], name, image);
    const file = await this.folder.pathOf(join('ground_truth', type, `${name}_mask.png`));
    const png = await encodePng(mask);
    await withFileErrors('write', file, () => writeFile(file, png, { flag: 'wx' }));
  }

  async writeGood(purpose: Purpose, name: string, image: ImageSource): Promise<void> {
    await this.#writeImage([purpose, GOOD_TYPE], name, image);
  }

  /** Copies an image as it is, so that it loses nothing. */
  async #writeImage(folders: readonly string[], name: string, image: ImageSource): Promise<void> {
    if (typeof image === 'string') {
      const file = await this.folder.pathOf(join(...folders, `${name}${extname(image)}`));
      await withFileErrors('write', file, () => copyFile(image, file, COPY));
      return;
    }
    const content = await contentOf(image);
    const bytes = 'channels' in content ? await encodePng(content) : content;
    const file = await this.folder.pathOf(join(...folders, `${name}${await imageEnding(image)}`));
    await withFileErrors('write', file, () => writeFile(file, bytes, { flag: 'wx' }));
  }
}
