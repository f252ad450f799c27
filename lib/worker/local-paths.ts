/** Removes the paths of this machine from what clients see. */
import { DualAnoDiffError, errorFromCode } from '../core/errors.js';

/** Makes paths relative to the folders that they lie in. */
export class LocalPaths {
  /** The first folder that contains a path counts. `store` is the place of the store. */
  constructor(
    private readonly folders: readonly string[],
    private readonly store?: string,
  ) {}

  /** Replaces the paths in a text. A folder itself becomes a dot. */
  inText(text: string): string {
    const relative = this.folders.reduce(
      (left, folder) => left.replaceAll(`${folder}/`, '').replaceAll(folder, '.'),
      text,
    );
    return this.store === undefined ? relative : relative.replaceAll(this.store, 'the store');
  }

  /** Replaces the paths in all texts of a value that can be written as JSON. */
  in<T>(value: T): T {
    return JSON.parse(JSON.stringify(value), (_, one) => (typeof one === 'string' ? this.inText(one) : one)) as T;
  }

  /** Replaces the paths in the message of an error. */
  inError(error: unknown): unknown {
    if (!(error instanceof Error)) return error;
    const message = this.inText(error.message);
    if (error instanceof DualAnoDiffError) return errorFromCode(error.code, message, { cause: error });
    return new Error(message, { cause: error });
  }
}
