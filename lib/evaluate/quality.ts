import type { Example } from '../dataset/dataset.js';
import { Pool } from '../pool.js';
import { runNative, type TaskOptions } from '../run-native.js';
import type { Row } from './rows.js';
import { loadDefects } from './squares.js';

/** The quality and variety of the generated images of one type. */
export interface Quality {
  row: string;
  type: string;
  /** The number of generated images. */
  images: number;
  /**
   * The Inception Score, at least 1. It is high if images are clear and varied. Undefined without the weights of
   * Inception v3.
   */
  inceptionScore: number | undefined;
  /**
   * The mean LPIPS distance between generated images that are closest to the same real image, at least 0. Undefined
   * without the weights of LPIPS.
   */
  icLpips: number | undefined;
}

/** The paths of published weights that the user supplies. */
export interface QualityWeights {
  inception: string | undefined;
  lpips: { backbone: string; linear: string } | undefined;
}

async function poolOf(examples: readonly Example[], size: number): Promise<Pool> {
  return Pool.fill(size, async (pool) => {
    for await (const squares of loadDefects(examples, size)) pool.addGood(squares);
  });
}

/** Measures the quality of a row's generated images for each type, at the protocol's resolution. */
export async function measureQuality(
  { name, generated = [] }: Row,
  real: ReadonlyMap<string, readonly Example[]>,
  { inception, lpips }: QualityWeights,
  { resolution, device, ...options }: TaskOptions & { resolution: number; device: string },
): Promise<Quality[]> {
  const measured: Quality[] = [];
  for (const type of real.keys()) {
    const examples = generated.flatMap(({ types }) => types.get(type) ?? []);
    const generatedPool = await poolOf(examples, resolution);
    let realPool: Pool | undefined;
    try {
      realPool = await poolOf(real.get(type) ?? [], resolution);
      const { handle } = realPool;
      measured.push({
        row: name,
        type,
        images: generatedPool.size,
        inceptionScore:
          inception === undefined
            ? undefined
            : await runNative(options, (engine, task) =>
                engine.inceptionScore(generatedPool.handle, inception, device, task),
              ),
        icLpips:
          lpips === undefined
            ? undefined
            : await runNative(options, (engine, task) =>
                engine.icLpips(generatedPool.handle, handle, lpips.backbone, lpips.linear, device, task),
              ),
      });
    } finally {
      generatedPool.dispose();
      realPool?.dispose();
    }
  }
  return measured;
}
