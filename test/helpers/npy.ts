/** Returns an array in NumPy's format .npy, of version 1. */
export function npy(numbers: ArrayBufferView, descr: string, shape: readonly number[], order = 'False'): Buffer {
  const dictionary = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
  const text = `${dictionary.padEnd(117)}\n`;
  const head = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8]);
  return Buffer.concat([
    head,
    Buffer.from(text, 'latin1'),
    Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength),
  ]);
}
