import { resolve } from 'node:path';
import { DatasetError } from '../core/errors.js';
import { imagesBelow } from '../dataset/folders.js';
import { Pool } from '../pool.js';
import { loadGood } from './squares.js';

/** Loads the textures of made-up defects. Throws ERR_DATASET_INVALID if the folder holds no images. */
export async function loadTextures(folder: string, size: number): Promise<Pool> {
  const files = await imagesBelow(resolve(folder));
  if (files.length === 0) throw new DatasetError(`${resolve(folder)} holds no images for textures`);
  return Pool.fill(size, async (pool) => {
    for await (const squares of loadGood(files, size)) pool.addGood(squares);
  });
}
