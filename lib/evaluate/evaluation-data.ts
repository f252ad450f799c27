import { createHash } from 'node:crypto';
import { fileDigest } from '../core/files.js';
import type { ImageSource } from '../dataset/image-source.js';
import type { Backbone } from '../detect/backbone.js';
import { loadTextures } from '../detect/textures.js';
import type { Pool } from '../pool.js';
import type { Protocol } from './protocol.js';
import type { Split } from './split.js';
import { defectToTest, goodToTest, type TestImage } from './test-images.js';

/** The data that all runs of an evaluation share: the test images, and the textures of draem. */
export class EvaluationData {
  private constructor(
    readonly textures: Pool | undefined,
    readonly split: Split,
    readonly testGood: readonly TestImage[],
    readonly testDefects: ReadonlyMap<string, readonly TestImage[]>,
    /** The digest of all test images and masks. */
    readonly testDigest: string,
    /** The digest of the classifiers' initial weights. It is undefined if they are random. */
    readonly backboneDigest: string | undefined,
    /** The backbones of the detectors that have one, by the detectors' names. */
    readonly backbones: ReadonlyMap<string, Backbone>,
  ) {}

  /**
   * Decodes every test image, so that its digest is known and wrong files fail before training. Throws
   * ERR_DATASET_INVALID with the file that cannot be used.
   */
  static async load(
    split: Split,
    { textures, classifierWeights }: { textures?: string | undefined; classifierWeights?: string | undefined },
    backbones: ReadonlyMap<string, Backbone>,
    protocol: Protocol,
  ): Promise<EvaluationData> {
    const backboneDigest = classifierWeights === undefined ? undefined : await fileDigest(classifierWeights);
    const partOf = (source: ImageSource) => split.groups.get(source) as number;
    const testGood = split.testingGood.map((source) => goodToTest(source, protocol, partOf(source)));
    const testDefects = new Map(
      [...split.testing].map(([type, examples]) => [
        type,
        examples.map((one) => defectToTest(one, protocol, partOf(one.image))),
      ]),
    );
    const hash = createHash('sha256');
    for (const one of [...testGood, ...[...testDefects.values()].flat()]) {
      const { image, mask } = await one.load();
      hash.update(image.data).update(mask.data);
    }
    const pool = textures === undefined ? undefined : await loadTextures(textures, protocol.resolution);
    return new EvaluationData(
      ...([pool, split, testGood, testDefects, hash.digest('hex'), backboneDigest, backbones] as const),
    );
  }

  dispose(): void {
    this.textures?.dispose();
  }
}
