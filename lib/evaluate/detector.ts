import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { NativeDetector, NativeTensor } from '../addon-types.js';
import { AbortedError, TrainingError, withFileErrors } from '../errors.js';
import { runNative, type TaskOptions } from '../run-native.js';
import type { Pool } from './pool.js';
import type { Protocol } from './protocol.js';
import type { Row } from './rows.js';
import type { Square } from './squares.js';

/** What one detector learns from. */
export interface DetectorData {
  good: Pool;
  defects: Pool;
  textures?: Pool | undefined;
}

export interface TrainDetectorOptions extends TaskOptions {
  seed: number;
  device: string;
  /** Where its checkpoint is kept, and read from where there is one. */
  checkpoint: string;
  checkpointEvery: number;
  /** Tells this detector's checkpoint from others'. */
  digest: string;
  onStep: (step: number, loss: number) => void;
}

/** Trains a detector to its end, from its checkpoint where there is one. The caller disposes of it. */
export async function trainDetector(
  row: Row,
  protocol: Protocol,
  { good, defects, textures }: DetectorData,
  options: TrainDetectorOptions,
): Promise<NativeDetector> {
  const { seed, device, checkpoint, checkpointEvery, digest, onStep, signal } = options;
  const { channels, batchSize, iterations, learningRate, flips } = protocol;
  const native = {
    ...{ channels, batchSize, iterations, learningRate, flips, seed, device },
    source: row.source,
    flipDefects: flips || row.generated === undefined, // the few real ones are always flipped
  };
  const { groups, types } = defects;
  const detector = await runNative({ signal }, (engine, task) =>
    engine.createDetector(native, good.handle, defects.handle, groups, types, textures?.handle, task),
  );
  let position = 0;
  const save = () => runNative({}, (_, task) => detector.saveCheckpoint(checkpoint, { digest }, task));
  try {
    await withFileErrors('write', checkpoint, () => mkdir(dirname(checkpoint), { recursive: true }));
    if (existsSync(checkpoint)) {
      const saved = await runNative({}, (engine, task) => engine.readMetadata(checkpoint, task));
      if (saved.digest !== digest) {
        throw new TrainingError(
          `${checkpoint} is of another evaluation: remove it, or choose another folder`,
          'ERR_CHECKPOINT_MISMATCH',
        );
      }
      position = await runNative({}, (_, task) => detector.loadCheckpoint(checkpoint, task));
    }
    while (position < protocol.iterations) {
      const { step, loss } = await runNative({ signal }, (_, task) => detector.step(task));
      position = step;
      if (step % checkpointEvery === 0 && step < protocol.iterations) await save();
      onStep(step, loss);
    }
    return detector;
  } catch (error) {
    if (error instanceof AbortedError && position > 0) await save();
    detector.dispose();
    throw error;
  }
}

/** The checkpoint of a detector whose result is written. */
export const removeCheckpoint = (checkpoint: string): Promise<void> => rm(checkpoint, { force: true });

/** A probability for each pixel of the squares, image after image. */
export async function predictMaps(
  detector: NativeDetector,
  squares: readonly Square[],
  size: number,
  options: TaskOptions,
): Promise<Float32Array> {
  const maps = new Float32Array(squares.length * size * size);
  const CHUNK = 16; // what crosses is copied on this thread
  for (let from = 0; from < squares.length; from += CHUNK) {
    const chunk = squares.slice(from, from + CHUNK);
    const images = Buffer.concat(chunk.map(({ pixels }) => pixels));
    const shape = { count: chunk.length, width: size, height: size };
    const { data }: NativeTensor = await runNative(options, (_, task) => detector.predict(images, shape, task));
    maps.set(data, from * size * size);
  }
  return maps;
}
