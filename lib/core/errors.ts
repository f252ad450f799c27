/** The base class of every error that this package throws on purpose. */
export class DualAnoDiffError extends Error {
  /** An identifier such as `ERR_DATASET_INVALID`. It stays the same when the message changes. */
  readonly code: string;

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** An option has a value of the wrong type or outside its range. */
export class InvalidOptionError extends DualAnoDiffError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_INVALID_OPTION', options);
  }
}

/** libtorch is missing, incomplete, or of a version that the engine was not built for. */
export class LibtorchError extends DualAnoDiffError {}

/** A pinned file cannot be downloaded, or it is damaged or another file. */
export class DownloadError extends DualAnoDiffError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_DOWNLOAD', options);
  }
}

/** A base model folder, a weights file or an adapter cannot be used. */
export class ModelError extends DualAnoDiffError {}

/** A dataset folder, an image or a mask cannot be used. */
export class DatasetError extends DualAnoDiffError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_DATASET_INVALID', options);
  }
}

/** Training cannot continue. The loss is not finite, or a checkpoint belongs to other settings. */
export class TrainingError extends DualAnoDiffError {}

/** The engine computed numbers that are not finite. Damaged weights or an overflow can cause this. */
export class NonFiniteError extends DualAnoDiffError {}

/** The device or the machine has no memory left. The process itself can continue. */
export class OutOfMemoryError extends DualAnoDiffError {}

/** An `AbortSignal` ended the operation. */
export class AbortedError extends DualAnoDiffError {
  constructor(options?: ErrorOptions) {
    super('The operation was aborted', 'ERR_ABORTED', options);
  }
}

/** A file or folder cannot be read or written. */
export class FileAccessError extends DualAnoDiffError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, 'ERR_FILE_ACCESS', options);
  }
}

/** An object of the store is missing or damaged, or the store cannot be reached. */
export class StoreError extends DualAnoDiffError {}

type ErrorClass = new (message: string, code: string, options?: ErrorOptions) => DualAnoDiffError;

const CLASS_OF_CODE: Record<string, ErrorClass> = {
  ERR_WEIGHTS_INVALID: ModelError,
  ERR_MODEL_INVALID: ModelError,
  ERR_ADAPTER_MISMATCH: ModelError,
  ERR_CHECKPOINT_MISMATCH: TrainingError,
  ERR_NON_FINITE_LOSS: TrainingError,
  ERR_NON_FINITE: NonFiniteError,
  ERR_OUT_OF_MEMORY: OutOfMemoryError,
  ERR_LIBTORCH_MISSING: LibtorchError,
  ERR_LIBTORCH_INCOMPATIBLE: LibtorchError,
};

/** Creates an error of the class that belongs to a native error's code. */
export function errorFromCode(code: string, message: string, options?: ErrorOptions): DualAnoDiffError {
  if (code === 'ERR_INVALID_OPTION') return new InvalidOptionError(message, options);
  if (code === 'ERR_DATASET_INVALID') return new DatasetError(message, options);
  if (code === 'ERR_FILE_ACCESS') return new FileAccessError(message, options);
  if (code === 'ERR_ABORTED') return new AbortedError(options);
  return new (CLASS_OF_CODE[code] ?? DualAnoDiffError)(message, code, options);
}

const FILE_ERROR_REASONS: Record<string, string> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would exceed the largest allowed file size (ulimit -f)',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'it is a folder',
  EEXIST: 'a file is in the way',
  EMFILE: 'too many files are open',
  EADDRINUSE: 'another process uses the port',
  EADDRNOTAVAIL: 'this machine does not have the address',
  ENOTFOUND: 'there is no host of this name',
};

/** Describes a file error of Node in words. */
export const fileErrorReason = ({ code = '', message }: NodeJS.ErrnoException): string =>
  FILE_ERROR_REASONS[code] ?? message;

/** Runs a file operation. Throws ERR_FILE_ACCESS with the path and the reason if Node reports an error. */
export async function withFileErrors<T>(what: string, path: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (cause) {
    const error = cause as NodeJS.ErrnoException;
    if (error.code === undefined || cause instanceof DualAnoDiffError) throw cause;
    throw new FileAccessError(`Cannot ${what} ${path}: ${fileErrorReason(error)}`, { cause });
  }
}
