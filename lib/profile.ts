/**
 * Where the engine's time goes.
 *
 * @module dualanodiff/profile
 */
import { runNative } from './run-native.js';

/** What the engine spent on one stage of the work, or on one operation of libtorch or of its own. */
export interface RecordedTime {
  /** As `denoise`, or `aten::mm`. */
  name: string;
  calls: number;
  /** With all that it calls; on CUDA, of the launches. */
  seconds: number;
  /** Without the stages and operations that it calls. */
  ownSeconds: number;
}

/** Where the engine's time went: in stages (a stage may hold others), and in operations, the largest first. */
export interface Profile {
  stages: RecordedTime[];
  operations: RecordedTime[];
}

/**
 * From now on what the engine does for this thread of JavaScript is recorded. That costs about a microsecond for each
 * operation, of which a call of Stable Diffusion's UNet has thousands.
 */
export async function startProfile(): Promise<void> {
  await runNative({}, (engine, task) => engine.startProfile(task));
}

/** Ends it and returns what was recorded. */
export async function stopProfile(): Promise<Profile> {
  const times = await runNative({}, (engine, task) => engine.stopProfile(task));
  const which = (stages: boolean) =>
    times.filter(({ isStage }) => isStage === stages).map(({ isStage, ...time }) => time);
  return { stages: which(true).sort((a, b) => b.seconds - a.seconds), operations: which(false) };
}
