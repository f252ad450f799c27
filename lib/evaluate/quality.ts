import type { Example } from '../dataset/dataset.js';
import type { ImageSource } from '../dataset/image-source.js';
import { loadDefects } from '../detect/squares.js';
import type { BackboneName } from '../options/names.js';
import { Pool } from '../pool.js';
import { runNative, type TaskOptions } from '../run-native.js';
import type { GeneratedSet, Row } from './rows.js';

/** The quality and variety of the generated images of one type. A measure is undefined without its network. */
export interface Quality {
  row: string;
  type: string;
  /** The number of real photographs of each type that the pairs were made from, if `shots` are evaluated. */
  shots?: number;
  /** The number of generated images that are measured. */
  images: number;
  /** The number of real training images, with which they are compared. */
  real: number;
  /** The Inception Score, at least 1. It is high if images are clear and varied. */
  inceptionScore: number | undefined;
  /** The network whose features the next four measures compare. */
  features: FeatureNetwork['name'] | undefined;
  /**
   * The kernel distance between generated and real images, which is KID (arXiv 1801.01401) if the features are those of
   * `inception-v3`. It is near 0 for images of one kind, and may be below. Null for fewer than two images.
   */
  kid: number | null | undefined;
  /** The median cosine distance, 0 to 2, from a generated image to the nearest real one, by the same features. */
  nearest: number | null | undefined;
  /** The median from a real image to the nearest one of another part. Null if all show one part. */
  nearestReal: number | null | undefined;
  /**
   * The share of generated images that are nearer to a real one than any two real parts are to each other, 0 to 1. Null
   * if all show one part.
   */
  copies: number | null | undefined;
  /** The mean LPIPS distance between generated images that are closest to the same real image, at least 0. */
  icLpips: number | undefined;
}

/** A network that describes images, with the path and the digest of its weights. */
export interface FeatureNetwork {
  name: BackboneName | 'inception-v3';
  file: string;
  digest: string;
}

/** What generated images are measured with. */
export interface QualityNetworks {
  features: FeatureNetwork | undefined;
  /** The path of torchvision's Inception v3. */
  inception: string | undefined;
  lpips: { backbone: string; linear: string } | undefined;
}

type Settings = TaskOptions & { resolution: number; device: string };

async function poolOf(examples: readonly Example[], size: number): Promise<Pool> {
  return Pool.fill(size, async (pool) => {
    for await (const squares of loadDefects(examples, size)) pool.addGood(squares);
  });
}

type Compared = Pick<Quality, 'features' | 'kid' | 'nearest' | 'nearestReal' | 'copies'>;

async function comparedBy(
  { name, file }: FeatureNetwork,
  generated: Pool,
  real: Pool,
  parts: readonly number[],
  { device, ...options }: Settings,
): Promise<Compared> {
  const featuresOf = ({ handle }: Pool) =>
    runNative(options, (engine, task) => engine.imageFeatures(handle, name, file, device, task));
  const [made, known] = [await featuresOf(generated), await featuresOf(real)];
  const compared = await runNative(options, (engine, task) => engine.compareFeatures(made, known, parts, task));
  const orNull = (value: number) => (Number.isNaN(value) ? null : value);
  return {
    features: name,
    kid: orNull(compared.kernelDistance),
    nearest: orNull(compared.nearest),
    nearestReal: orNull(compared.nearestReal),
    copies: orNull(compared.copies),
  };
}

const NOT_COMPARED: Compared = {
  features: undefined,
  kid: undefined,
  nearest: undefined,
  nearestReal: undefined,
  copies: undefined,
};

/** At most this many generated images of a type are measured, as in the subsets of published KIDs. */
const MOST_IMAGES = 1000;

/** Returns at most `most` items, which are spread evenly over the list. */
export function spread<T>(items: readonly T[], most: number): T[] {
  const count = Math.min(items.length, most);
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)] as T);
}

/** The generated images of a row, which are measured together. */
export interface MeasuredSets {
  row: string;
  shots: number | undefined;
  sets: readonly GeneratedSet[];
}

/**
 * Returns what is measured of a row: all its generated sets together, or with `shots` those of each number of real
 * photographs, because they were made from different photographs. There is one set for each number and seed.
 */
export function measuredSets(
  { name, generated = [] }: Pick<Row, 'name' | 'generated'>,
  shots: readonly number[] | undefined,
): MeasuredSets[] {
  if (shots === undefined) return [{ row: name, shots: undefined, sets: generated }];
  const seeds = generated.length / shots.length;
  return shots.map((count, i) => ({
    ...{ row: name, shots: count },
    sets: generated.slice(i * seeds, (i + 1) * seeds),
  }));
}

/** Measures the quality of generated images for each type, at the protocol's resolution. */
export async function measureQuality(
  { row, shots, sets }: MeasuredSets,
  real: ReadonlyMap<string, readonly Example[]>,
  groups: ReadonlyMap<ImageSource, number>,
  { features, inception, lpips }: QualityNetworks,
  settings: Settings,
): Promise<Quality[]> {
  const { resolution, device, ...options } = settings;
  const measured: Quality[] = [];
  for (const [type, known] of real) {
    const examples = sets.flatMap(({ types }) => types.get(type) ?? []);
    const generatedPool = await poolOf(spread(examples, MOST_IMAGES), resolution);
    let realPool: Pool | undefined;
    try {
      realPool = await poolOf(known, resolution);
      const { handle } = realPool;
      const parts = known.map(({ image }) => groups.get(image) as number);
      const compared =
        features === undefined ? NOT_COMPARED : await comparedBy(features, generatedPool, realPool, parts, settings);
      const inceptionScore =
        inception === undefined
          ? undefined
          : await runNative(options, (engine, task) =>
              engine.inceptionScore(generatedPool.handle, inception, device, task),
            );
      const icLpips =
        lpips &&
        (await runNative(options, (engine, task) =>
          engine.icLpips(generatedPool.handle, handle, lpips.backbone, lpips.linear, device, task),
        ));
      const base = { row, type, ...(shots !== undefined && { shots }), images: generatedPool.size, real: known.length };
      measured.push({ ...base, inceptionScore, ...compared, icLpips });
    } finally {
      generatedPool.dispose();
      realPool?.dispose();
    }
  }
  return measured;
}
