/**
 * Records where the engine spends its time.
 *
 * @module dualanodiff/profile
 */
import { runNative } from './run-native.js';

/** The time that the engine spent in one stage, or in one operation of libtorch or of its own. */
export interface RecordedTime {
  /** A name such as `denoise` or `aten::mm`. */
  name: string;
  calls: number;
  /** The time including nested stages and operations. On CUDA, it covers only the launches of kernels. */
  seconds: number;
  /** The time without nested stages and operations. */
  ownSeconds: number;
}

/**
 * The engine's time by stages, which may be nested, and by operations. Stages are sorted by `seconds` and operations by
 * `ownSeconds`, the largest first.
 */
export interface Profile {
  stages: RecordedTime[];
  operations: RecordedTime[];
}

/**
 * Starts to record the engine's work for this JavaScript thread. Recording costs about a microsecond for each
 * operation. A call of Stable Diffusion's U-Net has thousands of operations.
 */
export async function startProfile(): Promise<void> {
  await runNative({}, (engine, task) => engine.startProfile(task));
}

/** Stops the recording and returns the recorded times. */
export async function stopProfile(): Promise<Profile> {
  const times = await runNative({}, (engine, task) => engine.stopProfile(task));
  const timesOf = (stages: boolean) =>
    times.filter(({ isStage }) => isStage === stages).map(({ isStage, ...time }) => time);
  return { stages: timesOf(true).sort((a, b) => b.seconds - a.seconds), operations: timesOf(false) };
}
