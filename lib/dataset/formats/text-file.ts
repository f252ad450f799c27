/** Writes a file piece by piece, so that its content need not be in memory. */
import { type FileHandle, open } from 'node:fs/promises';
import { withFileErrors } from '../../core/errors.js';

/** Pieces are collected until they have this many characters. */
const CHUNK = 1 << 16;

/** A file that grows at its end. */
export class TextFile implements AsyncDisposable {
  #pending: string[] = [];
  #length = 0;

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
  ) {}

  /** Creates a file. Throws ERR_FILE_ACCESS if it exists. */
  static async create(path: string): Promise<TextFile> {
    return new TextFile(path, await withFileErrors('write', path, () => open(path, 'wx')));
  }

  async append(text: string): Promise<void> {
    this.#pending.push(text);
    this.#length += text.length;
    if (this.#length >= CHUNK) await this.#flush();
  }

  /** Writes what is left and closes the file. */
  async close(): Promise<void> {
    await this.#flush();
    await this.file.close();
  }

  /** Closes the file, if it is open, without the rest. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.file.close();
  }

  async #flush(): Promise<void> {
    const text = this.#pending.join('');
    this.#pending = [];
    this.#length = 0;
    await withFileErrors('write', this.path, () => this.file.appendFile(text));
  }
}
