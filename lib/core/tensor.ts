import { InvalidOptionError } from './errors.js';

/** A tensor in row-major order. The engine takes and returns tensors in this form. */
export interface Tensor {
  data: Float32Array;
  shape: number[];
}

/** Returns the tensor if it is valid. Throws ERR_INVALID_OPTION with `name` otherwise. */
export function checkTensor(tensor: Tensor, name: string): Tensor {
  const { data, shape } = (tensor ?? {}) as Partial<Tensor>;
  const extents = Array.isArray(shape) ? shape : undefined;
  if (!(data instanceof Float32Array) || extents === undefined) {
    throw new InvalidOptionError(
      `Expected { data: Float32Array, shape } for ${name} but received ${data?.length ?? 'no'} numbers of shape ${extents?.map(String).join(' x ') ?? 'unknown'}`,
    );
  }
  if (!(data.buffer instanceof ArrayBuffer)) {
    throw new InvalidOptionError(`Expected a Float32Array that does not use shared memory for the data of ${name}`);
  }
  if (!Array.from(extents).every((extent) => Number.isSafeInteger(extent) && extent > 0)) {
    throw new InvalidOptionError(
      `Expected integers above 0 for the shape of ${name} but received ${extents.map(String).join(' x ')}`,
    );
  }
  const size = extents.reduce((product, extent) => product * extent, 1);
  if (data.length !== size) {
    throw new InvalidOptionError(
      `Expected ${size} numbers for ${name} of shape ${extents.join(' x ')} but received ${data.length}`,
    );
  }
  return tensor;
}
