/** Converts weights from one format to another. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { FileAccessError } from '../core/errors.js';
import { lockFile } from '../core/write-lock.js';
import { convertAdapterSchema, convertCheckpointSchema } from '../options/base.js';
import { checkOptions, taskShape } from '../options/check.js';
import type { ConvertAdapterSettings, ConvertCheckpointSettings } from '../options/generated.js';
import { runNative, type TaskOptions } from '../run-native.js';
import { checkAdapterFile } from './adapter-info.js';
import { baseSource } from './base-model.js';

/** Holds the options of {@link convertAdapter}. */
export type ConvertAdapterOptions = ConvertAdapterSettings & TaskOptions;
/** Holds the options of {@link convertCheckpoint}. */
export type ConvertCheckpointOptions = ConvertCheckpointSettings & TaskOptions;

/** Describes a converted adapter. */
export interface AdapterConversion {
  /** This is the total size of all stored tensors, in numbers. */
  numbers: number;
  /**
   * Each layer whose SAIM was reduced has the relative change of its two folded matrices, by Frobenius norm.
   */
  saimErrors: { layer: string; scores: number; values: number }[];
  /** These sentences tell what a user of the new file must know. */
  notes: string[];
}

/** Holds the lock on `out` while `work` writes it. */
async function withNewFile<R>(out: string, work: (path: string) => Promise<R>): Promise<R> {
  const path = resolve(out);
  await using _lock = await lockFile(path);
  if (existsSync(path)) throw new FileAccessError(`Cannot write ${path}: it exists already`);
  return await work(path);
}

/**
 * Writes an adapter in another format or precision. The published Python scripts load the published format, `.bin` or
 * `.safetensors`.
 *
 * Throws ERR_WEIGHTS_INVALID for a damaged file, ERR_INVALID_OPTION for an adapter that the format cannot hold, and
 * ERR_FILE_ACCESS if `out` exists.
 */
export async function convertAdapter(
  input: string,
  out: string,
  options: ConvertAdapterOptions = {},
): Promise<AdapterConversion> {
  const { format, dtype, saimRank = 0, signal: abort } = checkOptions(convertAdapterSchema.extend(taskShape), options);
  await checkAdapterFile(resolve(input));
  const native = { input: resolve(input), format, dtype, saimRank };
  const { numbers, saimErrors, background, backgroundScaled } = await withNewFile(out, (path) =>
    runNative({ signal: abort }, (engine, task) => engine.convertAdapter({ ...native, out: path }, task)),
  );
  const notes: string[] = [];
  if (format === 'published' && background !== 'off' && backgroundScaled) {
    notes.push(
      "The adapter was trained on background latents that are scaled by the autoencoder's factor; the published scripts do not scale them (train with backgroundScaled: false for those)",
    );
  }
  return { numbers, saimErrors, notes };
}

/**
 * Writes a base (a checkpoint file in the original naming, or a diffusers folder) as a diffusers folder.
 *
 * Throws ERR_MODEL_INVALID for a file of another kind, and ERR_FILE_ACCESS if `out` exists.
 */
export async function convertCheckpoint(
  input: string,
  out: string,
  options: ConvertCheckpointOptions = {},
): Promise<void> {
  const { dtype, signal: abort, ...source } = checkOptions(convertCheckpointSchema.extend(taskShape), options);
  const native = { ...baseSource(input, source), dtype };
  await withNewFile(out, (path) =>
    runNative({ signal: abort }, (engine, task) => engine.convertBase({ ...native, out: path }, task)),
  );
}
