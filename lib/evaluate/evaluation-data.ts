import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { DatasetError } from '../core/errors.js';
import { fileDigest } from '../core/files.js';
import { imagesBelow } from '../dataset/folders.js';
import type { ImageSource } from '../dataset/image-source.js';
import { Pool } from '../pool.js';
import type { Split } from './split.js';
import { loadDefects, loadGood, type NamedSquare } from './squares.js';

async function loadPool(images: readonly ImageSource[], size: number): Promise<Pool> {
  return Pool.fill(size, async (pool) => {
    for await (const squares of loadGood(images, size)) pool.addGood(squares);
  });
}

/** The decoded images of an evaluation, except for the training defects of its rows. */
export class EvaluationData {
  private constructor(
    readonly good: Pool,
    readonly textures: Pool | undefined,
    readonly testGood: readonly NamedSquare[],
    readonly testDefects: ReadonlyMap<string, readonly NamedSquare[]>,
    /** The digest of all test images and masks. */
    readonly testDigest: string,
    /** The digest of the classifiers' initial weights. It is undefined if they are random. */
    readonly backboneDigest: string | undefined,
  ) {}

  /** Decodes the images. Throws ERR_DATASET_INVALID with the file that cannot be used. */
  static async load(
    split: Split,
    {
      textures: texturesFolder,
      classifierWeights,
    }: { textures?: string | undefined; classifierWeights?: string | undefined },
    size: number,
  ): Promise<EvaluationData> {
    const backboneDigest = classifierWeights === undefined ? undefined : await fileDigest(classifierWeights);
    const hash = createHash('sha256');
    const load = async (chunks: AsyncGenerator<NamedSquare[]>) => {
      const all: NamedSquare[] = [];
      for await (const squares of chunks) {
        for (const { pixels, mask } of squares) hash.update(pixels).update(mask);
        all.push(...squares);
      }
      return all;
    };
    const testGood = await load(loadGood(split.testingGood, size));
    const testDefects = new Map<string, NamedSquare[]>();
    for (const [type, examples] of split.testing) testDefects.set(type, await load(loadDefects(examples, size)));
    const textureFiles = texturesFolder === undefined ? [] : await imagesBelow(resolve(texturesFolder));
    if (texturesFolder !== undefined && textureFiles.length === 0) {
      throw new DatasetError(`${resolve(texturesFolder)} holds no images for textures`);
    }
    const good = await loadPool(split.trainingGood, size);
    try {
      const textures = texturesFolder === undefined ? undefined : await loadPool(textureFiles, size);
      return new EvaluationData(good, textures, testGood, testDefects, hash.digest('hex'), backboneDigest);
    } catch (error) {
      good.dispose();
      throw error;
    }
  }

  dispose(): void {
    this.good.dispose();
    this.textures?.dispose();
  }
}
