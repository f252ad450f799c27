/**
 * The classes of the errors that this package throws on purpose. Each error has a stable `code`.
 *
 * @module dualanodiff/errors
 */
export {
  AbortedError,
  DatasetError,
  DownloadError,
  DualAnoDiffError,
  FileAccessError,
  InvalidOptionError,
  LibtorchError,
  ModelError,
  NonFiniteError,
  OutOfMemoryError,
  TrainingError,
} from './core/errors.js';
