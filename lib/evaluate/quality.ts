import type { Example } from '../dataset/dataset.js';
import { Pool } from '../pool.js';
import { runNative, type TaskOptions } from '../run-native.js';
import type { Row } from './rows.js';
import { loadDefects } from './squares.js';

/** What the generated pictures of one type are like, beside the real ones. */
export interface Quality {
  row: string;
  type: string;
  /** Generated pictures looked at. */
  images: number;
  /** How clear and how varied Inception v3 finds them, from 1; undefined without its weights. */
  inceptionScore: number | undefined;
  /** How far generated pictures near the same real one are from each other (LPIPS), from 0; undefined without weights. */
  icLpips: number | undefined;
}

/** Weights that the user supplies, as published. */
export interface QualityWeights {
  inception: string | undefined;
  lpips: { backbone: string; linear: string } | undefined;
}

async function poolOf(examples: readonly Example[], size: number): Promise<Pool> {
  return Pool.fill(size, async (pool) => {
    for await (const squares of loadDefects(examples, size)) pool.addGood(squares);
  });
}

/** Measures the types of a row's generated sets at the protocol's resolution. */
export async function measureQuality(
  { name, generated = [] }: Row,
  real: ReadonlyMap<string, readonly Example[]>,
  { inception, lpips }: QualityWeights,
  { resolution, device, ...options }: TaskOptions & { resolution: number; device: string },
): Promise<Quality[]> {
  const measured: Quality[] = [];
  for (const type of real.keys()) {
    const examples = generated.flatMap(({ types }) => types.get(type) ?? []);
    const made = await poolOf(examples, resolution);
    let there: Pool | undefined;
    try {
      there = await poolOf(real.get(type) ?? [], resolution);
      const { handle } = there;
      measured.push({
        row: name,
        type,
        images: made.size,
        inceptionScore:
          inception === undefined
            ? undefined
            : await runNative(options, (engine, task) => engine.inceptionScore(made.handle, inception, device, task)),
        icLpips:
          lpips === undefined
            ? undefined
            : await runNative(options, (engine, task) =>
                engine.icLpips(made.handle, handle, lpips.backbone, lpips.linear, device, task),
              ),
      });
    } finally {
      made.dispose();
      there?.dispose();
    }
  }
  return measured;
}
