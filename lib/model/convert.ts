/** Weights from one format to another. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { z } from 'zod';
import { FileAccessError } from '../core/errors.js';
import { lockFile } from '../core/write-lock.js';
import { checkOptions } from '../options/check.js';
import { convertAdapterSchema, convertCheckpointSchema } from '../options/schemas.js';
import { runNative } from '../run-native.js';
import { checkAdapterFile } from './adapter-info.js';
import { baseSource } from './dualanodiff.js';

/**
 * Options of {@link convertAdapter}.
 * @interface
 */
export type ConvertAdapterOptions = z.input<typeof convertAdapterSchema>;
/**
 * Options of {@link convertCheckpoint}.
 * @interface
 */
export type ConvertCheckpointOptions = z.input<typeof convertCheckpointSchema>;

/** What a conversion did to an adapter. */
export interface AdapterConversion {
  /** Numbers stored, of all tensors. */
  numbers: number;
  /**
   * For each layer whose SAIM was reduced, the change of its two folded matrices relative to the whole (Frobenius norm).
   */
  saimErrors: { layer: string; scores: number; values: number }[];
  /** What the reader of the new file must know; empty where there is nothing. */
  notes: string[];
}

/** Does the work that writes `out`, which nobody else does at the same time. */
async function writing<R>(out: string, work: (path: string) => Promise<R>): Promise<R> {
  const path = resolve(out);
  await using _lock = await lockFile(path);
  if (existsSync(path)) throw new FileAccessError(`Cannot write ${path}: it exists already`);
  return await work(path);
}

/**
 * Writes an adapter (own or published) in another layout or precision. The published layout is what the published
 * scripts load: `.bin` or `.safetensors`.
 * Throws ERR_WEIGHTS_INVALID for a damaged file, ERR_INVALID_OPTION for what cannot be written, ERR_FILE_ACCESS where
 * `out` exists.
 */
export async function convertAdapter(
  input: string,
  out: string,
  options: ConvertAdapterOptions = {},
): Promise<AdapterConversion> {
  const { layout, dtype, saimRank = 0, signal } = checkOptions(convertAdapterSchema, options);
  await checkAdapterFile(resolve(input));
  const native = { input: resolve(input), layout, dtype, saimRank };
  const { numbers, saimErrors, background, backgroundScaled } = await writing(out, (path) =>
    runNative({ signal }, (engine, task) => engine.convertAdapter({ ...native, out: path }, task)),
  );
  const notes: string[] = [];
  if (layout === 'published' && background !== 'off' && backgroundScaled) {
    notes.push(
      "The adapter was trained on background latents that are scaled by the autoencoder's factor; the published scripts do not scale them (train with backgroundScaled: false for those)",
    );
  }
  return { numbers, saimErrors, notes };
}

/**
 * Writes a base (a checkpoint file in the original naming, or a diffusers folder) as a diffusers folder.
 * Throws ERR_MODEL_INVALID for a file of another kind, ERR_FILE_ACCESS where `out` exists.
 */
export async function convertCheckpoint(
  input: string,
  out: string,
  options: ConvertCheckpointOptions = {},
): Promise<void> {
  const { dtype, signal, ...source } = checkOptions(convertCheckpointSchema, options);
  const native = { ...baseSource(input, source), dtype };
  await writing(out, (path) =>
    runNative({ signal }, (engine, task) => engine.convertBase({ ...native, out: path }, task)),
  );
}
