import type { Example } from '../dataset/dataset.js';
import type { ImageSource } from '../dataset/image-source.js';
import { loadDefects } from '../detect/squares.js';
import { Pool } from '../pool.js';
import { runNative, type TaskOptions } from '../run-native.js';
import type { Row } from './rows.js';

/** The quality and variety of the generated images of one type. A measure is undefined without its weights. */
export interface Quality {
  row: string;
  type: string;
  /** The number of generated images. */
  images: number;
  /** The number of real training images, with which they are compared. */
  real: number;
  /** The Inception Score, at least 1. It is high if images are clear and varied. */
  inceptionScore: number | undefined;
  /**
   * The kernel distance between generated and real images, by features of Inception v3 (KID, arXiv 1801.01401). It is
   * near 0 for images of one kind, and may be below. Null for fewer than two images.
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

/** The paths of published weights that the user supplies. */
export interface QualityWeights {
  inception: string | undefined;
  lpips: { backbone: string; linear: string } | undefined;
}

type Settings = TaskOptions & { resolution: number; device: string };

async function poolOf(examples: readonly Example[], size: number): Promise<Pool> {
  return Pool.fill(size, async (pool) => {
    for await (const squares of loadDefects(examples, size)) pool.addGood(squares);
  });
}

type ByInception = Pick<Quality, 'inceptionScore' | 'kid' | 'nearest' | 'nearestReal' | 'copies'>;

async function byInception(
  generated: Pool,
  real: Pool,
  parts: readonly number[],
  weights: string,
  { device, ...options }: Settings,
): Promise<ByInception> {
  const featuresOf = ({ handle }: Pool) =>
    runNative(options, (engine, task) => engine.inceptionFeatures(handle, weights, device, task));
  const inceptionScore = await runNative(options, (engine, task) =>
    engine.inceptionScore(generated.handle, weights, device, task),
  );
  const [made, known] = [await featuresOf(generated), await featuresOf(real)];
  const compared = await runNative(options, (engine, task) => engine.compareFeatures(made, known, parts, task));
  const orNull = (value: number) => (Number.isNaN(value) ? null : value);
  return {
    inceptionScore,
    kid: orNull(compared.kernelDistance),
    nearest: orNull(compared.nearest),
    nearestReal: orNull(compared.nearestReal),
    copies: orNull(compared.copies),
  };
}

const NONE: ByInception = {
  inceptionScore: undefined,
  kid: undefined,
  nearest: undefined,
  nearestReal: undefined,
  copies: undefined,
};

/** Measures the quality of a row's generated images for each type, at the protocol's resolution. */
export async function measureQuality(
  { name, generated = [] }: Row,
  real: ReadonlyMap<string, readonly Example[]>,
  groups: ReadonlyMap<ImageSource, number>,
  { inception, lpips }: QualityWeights,
  settings: Settings,
): Promise<Quality[]> {
  const { resolution, device, ...options } = settings;
  const measured: Quality[] = [];
  for (const [type, known] of real) {
    const examples = generated.flatMap(({ types }) => types.get(type) ?? []);
    const generatedPool = await poolOf(examples, resolution);
    let realPool: Pool | undefined;
    try {
      realPool = await poolOf(known, resolution);
      const { handle } = realPool;
      const parts = known.map(({ image }) => groups.get(image) as number);
      const base = { row: name, type, images: generatedPool.size, real: known.length };
      const features =
        inception === undefined ? NONE : await byInception(generatedPool, realPool, parts, inception, settings);
      const icLpips =
        lpips &&
        (await runNative(options, (engine, task) =>
          engine.icLpips(generatedPool.handle, handle, lpips.backbone, lpips.linear, device, task),
        ));
      measured.push({ ...base, ...features, icLpips });
    } finally {
      generatedPool.dispose();
      realPool?.dispose();
    }
  }
  return measured;
}
