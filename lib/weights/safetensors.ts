import type { Tensor } from './onnx.js';

/** The header's length is a multiple of this, so that the data behind it is aligned. */
const ALIGNMENT = 8;

/**
 * Returns the bytes of a safetensors file with float32 tensors in chunks, because copying large weights into one buffer
 * would block the event loop. The metadata are texts, as the format requires.
 */
export function safetensorsOf(tensors: ReadonlyMap<string, Tensor>, metadata: Record<string, string>): Uint8Array[] {
  let end = 0;
  const entries = [...tensors].map(([name, { shape, data }]) => {
    const begin = end;
    end += data.length;
    return [name, { dtype: 'F32', shape, data_offsets: [begin, end] }] as const;
  });
  const header = Buffer.from(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }));
  const padding = Buffer.alloc((ALIGNMENT - (header.length % ALIGNMENT)) % ALIGNMENT, ' ');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length + padding.length));
  return [length, header, padding, ...[...tensors.values()].map(({ data }) => data)];
}
