import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { NativeAdapter } from '../addon-types.js';
import { DualAnoDiffError, withFileErrors } from '../core/errors.js';
import { fileDigest } from '../core/files.js';
import { checkOptions } from '../options/check.js';
import { adapterFile } from '../options/training.js';
import { callNative, runNative, type TaskOptions } from '../run-native.js';
import { type AdapterInfo, adapterInfo } from './adapter-info.js';

/**
 * A trained adapter in memory: it can be sampled at once, saved, and loaded.
 *
 * @example
 * await using adapter = await trainer.adapter();
 * await using sampler = await Sampler.create(model, adapter);
 * await adapter.save('crack.safetensors');
 */
export class Adapter {
  /** What the adapter says of itself. */
  readonly info: AdapterInfo;
  #handle: NativeAdapter | undefined;
  #digest: string | undefined;

  private constructor(info: AdapterInfo, handle: NativeAdapter, digest: string | undefined) {
    this.info = info;
    this.#handle = handle;
    this.#digest = digest;
  }

  /**
   * Reads an adapter: the own format, or a file of the published code (`.bin` or `.safetensors`).
   * Throws ERR_WEIGHTS_INVALID where the file is damaged or says something of itself that is not known or that no option
   * may be, and ERR_FILE_ACCESS.
   */
  static async load(file: string, { signal }: TaskOptions = {}): Promise<Adapter> {
    const path = resolve(file);
    // The digest comes first: where another process replaces the file meanwhile, what was read does not match it, which
    // is noticed, and not the other way round.
    const digest = await fileDigest(path);
    const handle = await runNative({ signal }, (engine, task) => engine.readAdapter(path, task));
    return Adapter.of(handle, file, digest);
  }

  /**
   * An adapter of a handle, which is disposed where what it says of itself is not valid. `source` names it in errors.
   * @internal
   */
  static of(handle: NativeAdapter, source: string, digest?: string): Adapter {
    try {
      const metadata = callNative(() => handle.metadata());
      return new Adapter(adapterInfo(source, metadata), handle, digest);
    } catch (error) {
      handle.dispose();
      throw error;
    }
  }

  /**
   * Tells adapters apart: the first 16 hexadecimal digits of the SHA-256 of the file that it was loaded from, else of
   * the file that `save` writes.
   */
  async digest(): Promise<string> {
    if (this.#digest !== undefined) return this.#digest;
    const folder = await withFileErrors('write', tmpdir(), () => mkdtemp(join(tmpdir(), 'dualanodiff-')));
    try {
      const file = join(folder, 'adapter.safetensors');
      await this.#write(file);
      this.#digest = await fileDigest(file);
      return this.#digest;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Writes the adapter in the own format, whole or not at all, and makes its folder. Throws ERR_FILE_ACCESS. */
  async save(file: string): Promise<void> {
    await this.#write(resolve(checkOptions(adapterFile(), file)));
  }

  /** Frees the adapter; samplers on it go on. May be called twice. */
  async dispose(): Promise<void> {
    this.#handle?.dispose();
    this.#handle = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /**
   * For samplers, which keep what they need of it.
   * @internal
   */
  get native(): NativeAdapter {
    if (!this.#handle) throw new DualAnoDiffError('The adapter is disposed', 'ERR_DISPOSED');
    return this.#handle;
  }

  async #write(path: string): Promise<void> {
    const handle = this.native;
    await withFileErrors('create', dirname(path), () => mkdir(dirname(path), { recursive: true }));
    await runNative({}, (_, task) => handle.save(path, task));
  }
}
