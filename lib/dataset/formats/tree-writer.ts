/** Writes images and masks as a category in MVTec AD's layout. */
import { copyFile, writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { withFileErrors } from '../../core/errors.js';
import { COPY } from '../../core/files.js';
import type { PixelData } from '../../core/image.js';
import type { StagedFolder } from '../../core/staged-folder.js';
import { GOOD_TYPE } from '../../options/type-name.js';
import type { Purpose } from '../contents.js';
import { imageEnding } from '../decode.js';
import { encodePng } from '../image-file.js';
import { contentOf, type ImageSource } from '../image-source.js';

/** The files of an image, relative to the folder, and the types that they show. */
interface TreeFiles {
  image: string;
  mask?: string;
  types: string[];
}

/** Writes the files of one category. Names must be unique in their type, since no file is written twice. */
export class TreeWriter {
  constructor(private readonly folder: StagedFolder) {}

  /** Writes an image of a defect with its mask. Returns their places in the folder. */
  async writeDefect(type: string, name: string, image: ImageSource, mask: PixelData): Promise<TreeFiles> {
    const place = await this.#writeImage(['test', type], name, image);
    const maskPlace = ['ground_truth', type, `${name}_mask.png`].join('/');
    const file = await this.folder.pathOf(maskPlace);
    const png = await encodePng(mask);
    await withFileErrors('write', file, () => writeFile(file, png, { flag: 'wx' }));
    return { image: place, mask: maskPlace, types: [type] };
  }

  /** Writes an image without a defect. Returns its place in the folder. */
  async writeGood(purpose: Purpose, name: string, image: ImageSource): Promise<TreeFiles> {
    return { image: await this.#writeImage([purpose, GOOD_TYPE], name, image), types: [] };
  }

  /** Copies an image as it is, so that it loses nothing. Returns its place. */
  async #writeImage(folders: readonly string[], name: string, image: ImageSource): Promise<string> {
    const ending = typeof image === 'string' ? extname(image) : await imageEnding(image);
    const place = [...folders, `${name}${ending}`].join('/');
    const file = await this.folder.pathOf(place);
    if (typeof image === 'string') {
      await withFileErrors('write', file, () => copyFile(image, file, COPY));
      return place;
    }
    const content = await contentOf(image);
    const bytes = 'channels' in content ? await encodePng(content) : content;
    await withFileErrors('write', file, () => writeFile(file, bytes, { flag: 'wx' }));
    return place;
  }
}
