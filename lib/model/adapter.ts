import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { NativeAdapter } from '../addon-types.js';
import { DualAnoDiffError, withFileErrors } from '../core/errors.js';
import { createFolder, fileDigest } from '../core/files.js';
import { checkValue } from '../options/check.js';
import { adapterFile } from '../options/training.js';
import { callNative, runNative, type TaskOptions } from '../run-native.js';
import { type AdapterInfo, adapterInfo } from './adapter-info.js';

/**
 * Holds a trained adapter in memory. It can be sampled, saved and loaded.
 *
 * @example
 * await using adapter = await trainer.adapter();
 * await using sampler = await Sampler.create(model, adapter);
 * await adapter.save('crack.safetensors');
 */
export class Adapter {
  /** These settings of its training decide how the adapter is used. */
  readonly info: AdapterInfo;
  #handle: NativeAdapter | undefined;
  #digest: string | undefined;

  /**
   * The name of the adapter in errors.
   * @internal
   */
  readonly source: string;

  private constructor(info: AdapterInfo, handle: NativeAdapter, source: string, digest: string | undefined) {
    this.source = source;
    this.info = info;
    this.#handle = handle;
    this.#digest = digest;
  }

  /**
   * Reads an adapter in our own format, or a file of the published code (`.bin` or `.safetensors`).
   * Throws ERR_WEIGHTS_INVALID if the file is damaged or stores a setting that is unknown or out of its range, and
   * ERR_FILE_ACCESS if it cannot be read.
   */
  static async load(file: string, { signal }: TaskOptions = {}): Promise<Adapter> {
    const path = resolve(file);
    // The digest is computed before the file is read. If another process replaces the file in between, the digest does
    // not match the new tensors, so pairs of the two versions are not mixed.
    const digest = await fileDigest(path);
    const handle = await runNative({ signal }, (engine, task) => engine.readAdapter(path, task));
    return Adapter.of(handle, file, digest);
  }

  /**
   * Wraps a native adapter and disposes of it if its settings are invalid. `source` names the adapter in errors.
   * @internal
   */
  static of(handle: NativeAdapter, source: string, digest?: string): Adapter {
    try {
      const metadata = callNative(() => handle.metadata());
      return new Adapter(adapterInfo(source, metadata), handle, source, digest);
    } catch (error) {
      handle.dispose();
      throw error;
    }
  }

  /**
   * Returns an identifier of the adapter: the first 16 hexadecimal digits of the SHA-256 of the file that it was loaded
   * from, or else of the file that `save` writes.
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

  /** Writes the adapter atomically in our own format and creates its folder. Throws ERR_FILE_ACCESS. */
  async save(file: string): Promise<void> {
    await this.#write(resolve(checkValue('file', adapterFile(), file)));
  }

  /** Frees the adapter. Samplers that use it continue to work. A second call has no effect. */
  async dispose(): Promise<void> {
    this.#handle?.dispose();
    this.#handle = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /**
   * Returns the engine's adapter for samplers, which copy what they need. Throws ERR_DISPOSED.
   * @internal
   */
  get native(): NativeAdapter {
    if (!this.#handle) throw new DualAnoDiffError('The adapter is disposed', 'ERR_DISPOSED');
    return this.#handle;
  }

  async #write(path: string): Promise<void> {
    const handle = this.native;
    await withFileErrors('create', dirname(path), () => createFolder(dirname(path)));
    await runNative({}, (_, task) => handle.save(path, task));
  }
}
