import { InvalidOptionError } from './errors.js';

/** Numbers row by row, as they cross to the engine and back. */
export interface Tensor {
  data: Float32Array;
  shape: number[];
}

/** The tensor, checked. Throws ERR_INVALID_OPTION naming `name`. */
export function checkTensor(tensor: Tensor, name: string): Tensor {
  const size = tensor?.shape?.reduce((product, extent) => product * extent, 1);
  if (!(tensor?.data instanceof Float32Array) || tensor.data.length !== size) {
    throw new InvalidOptionError(
      `Expected { data: Float32Array, shape } for ${name} but received ${tensor?.data?.length ?? 'no'} numbers of shape ${tensor?.shape?.join(' x ') ?? 'unknown'}`,
    );
  }
  return tensor;
}
