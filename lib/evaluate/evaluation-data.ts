import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { DatasetError } from '../core/errors.js';
import { fileDigest } from '../core/files.js';
import { imagesBelow } from '../dataset/folders.js';
import { Pool } from '../pool.js';
import type { Protocol } from './protocol.js';
import type { Split } from './split.js';
import { loadGood } from './squares.js';
import { defectToTest, goodToTest, type TestImage } from './test-images.js';

async function loadTextures(folder: string, size: number): Promise<Pool> {
  const files = await imagesBelow(resolve(folder));
  if (files.length === 0) throw new DatasetError(`${resolve(folder)} holds no images for textures`);
  return Pool.fill(size, async (pool) => {
    for await (const squares of loadGood(files, size)) pool.addGood(squares);
  });
}

/** The data that all runs of an evaluation share: the test images, and the textures of draem. */
export class EvaluationData {
  private constructor(
    readonly textures: Pool | undefined,
    readonly testGood: readonly TestImage[],
    readonly testDefects: ReadonlyMap<string, readonly TestImage[]>,
    /** The digest of all test images and masks. */
    readonly testDigest: string,
    /** The digest of the classifiers' initial weights. It is undefined if they are random. */
    readonly backboneDigest: string | undefined,
  ) {}

  /**
   * Decodes every test image, so that its digest is known and wrong files fail before training. Throws
   * ERR_DATASET_INVALID with the file that cannot be used.
   */
  static async load(
    split: Split,
    { textures, classifierWeights }: { textures?: string | undefined; classifierWeights?: string | undefined },
    protocol: Protocol,
  ): Promise<EvaluationData> {
    const backboneDigest = classifierWeights === undefined ? undefined : await fileDigest(classifierWeights);
    const testGood = split.testingGood.map((source) => goodToTest(source, protocol));
    const testDefects = new Map(
      [...split.testing].map(([type, examples]) => [type, examples.map((example) => defectToTest(example, protocol))]),
    );
    const hash = createHash('sha256');
    for (const one of [...testGood, ...[...testDefects.values()].flat()]) {
      const { image, mask } = await one.load();
      hash.update(image.data).update(mask.data);
    }
    const pool = textures === undefined ? undefined : await loadTextures(textures, protocol.resolution);
    return new EvaluationData(pool, testGood, testDefects, hash.digest('hex'), backboneDigest);
  }

  dispose(): void {
    this.textures?.dispose();
  }
}
