import { createHash } from 'node:crypto';
import { fileDigest } from '../core/files.js';
import { warn } from '../core/warnings.js';
import { someOf } from '../dataset/folders.js';
import type { ImageSource } from '../dataset/image-source.js';
import type { Backbone } from '../detect/backbone.js';
import { loadTextures } from '../detect/textures.js';
import type { Pool } from '../pool.js';
import { holdBack } from './held-back.js';
import type { Protocol } from './protocol.js';
import type { Split } from './split.js';
import { defectToTest, goodToTest, type TestImage } from './test-images.js';

/** Returns a number for the part of each image, or undefined if no two images show the same part. */
export function sharedParts(images: readonly Pick<TestImage, 'part'>[]): number[] | undefined {
  const parts = [...new Set(images.map(({ part }) => part))];
  return parts.length === images.length ? undefined : images.map(({ part }) => parts.indexOf(part));
}

interface Digested {
  digest: string;
  /** The images whose masks mark no pixel, and those whose masks mark all of them. */
  unmarked: Set<TestImage>;
  whole: Set<TestImage>;
}

/** Returns the digest of images and their masks. */
async function digestOf(images: readonly TestImage[]): Promise<Digested> {
  const hash = createHash('sha256');
  const [unmarked, whole] = [new Set<TestImage>(), new Set<TestImage>()];
  for (const one of images) {
    const { image, mask } = await one.load();
    hash.update(image.data).update(mask.data);
    if (!mask.data.includes(255)) unmarked.add(one);
    if (!mask.data.includes(0)) whole.add(one);
  }
  return { digest: hash.digest('hex'), unmarked, whole };
}

/** Warns of images of defects whose masks do not tell where the defect is. */
function warnOfMasks(type: string, images: readonly TestImage[], { unmarked, whole }: Digested): void {
  for (const [found, problem] of [
    [unmarked, 'are empty, so that they count as good'],
    [whole, 'mark all pixels, so that scores of pixels say nothing of where the defect is'],
  ] as const) {
    const names = images.filter((image) => found.has(image)).map(({ name }) => name);
    if (names.length === 0) continue;
    warn(`The masks of ${names.length} of ${images.length} test images of ${type} ${problem}: ${someOf(names)}`);
  }
}

/** The data that all runs of an evaluation share: the test images, and the textures of draem. */
export class EvaluationData {
  private constructor(
    readonly textures: Pool | undefined,
    readonly split: Split,
    readonly testGood: readonly TestImage[],
    readonly testDefects: ReadonlyMap<string, readonly TestImage[]>,
    /** The digest of all test images and masks. */
    readonly testDigest: string,
    /** The parts of all test images, as {@link sharedParts} numbers them. Intervals depend on them. */
    readonly testParts: readonly number[] | undefined,
    /** The good images that detectors without defects choose their thresholds on. */
    readonly heldBack: readonly ImageSource[],
    /** The digest of these images. It is undefined if there are none. */
    readonly heldBackDigest: string | undefined,
    /** The digest of the classifiers' initial weights. It is undefined if they are random. */
    readonly backboneDigest: string | undefined,
    /** The backbones of the detectors that have one, by the detectors' names. */
    readonly backbones: ReadonlyMap<string, Backbone>,
  ) {}

  /**
   * Decodes every test image and every one that is held back, so that their digests are known and wrong files fail
   * before training. Throws ERR_DATASET_INVALID with the file that cannot be used.
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
    const tests = [...testGood, ...[...testDefects.values()].flat()];
    const digested = await digestOf(tests);
    const { digest: testDigest } = digested;
    for (const [type, images] of testDefects) warnOfMasks(type, images, digested);
    const { heldBack } = holdBack(split.trainingGood, split.groups);
    const kept = heldBack.map((source) => goodToTest(source, protocol, partOf(source)));
    const heldBackDigest = kept.length === 0 ? undefined : (await digestOf(kept)).digest;
    const pool = textures === undefined ? undefined : await loadTextures(textures, protocol.resolution);
    return new EvaluationData(
      ...([pool, split, testGood, testDefects, testDigest, sharedParts(tests)] as const),
      ...([heldBack, heldBackDigest, backboneDigest, backbones] as const),
    );
  }

  dispose(): void {
    this.textures?.dispose();
  }
}
