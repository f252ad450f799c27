/** Copies of weights with a number that is none. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { embedded } from '../../lib/core/paths.js';

const NAN = { F16: [2, 0x7e00], BF16: [2, 0x7fc0], F32: [4, 0x7fc00000] } as const;

/** Sets the first number of a tensor of a safetensors file to NaN. */
export function setNaN(file: string, tensor: string): void {
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const { dtype, data_offsets: offsets } = JSON.parse(bytes.subarray(8, 8 + length).toString())[tensor];
  const [size, pattern] = NAN[dtype as keyof typeof NAN];
  bytes.writeUIntLE(pattern, 8 + length + offsets[0], size);
  writeFileSync(file, bytes);
}

/** Removes the fingerprint of its base from an adapter, so that it can be used with a base whose weights are changed. */
export function forgetBase(adapter: string): string {
  const bytes = readFileSync(adapter);
  const length = Number(bytes.readBigUInt64LE(0));
  const { __metadata__: metadata, ...tensors } = JSON.parse(bytes.subarray(8, 8 + length).toString());
  const { base_fingerprint: _, ...kept } = metadata;
  bytes.write(JSON.stringify({ __metadata__: kept, ...tensors }).padEnd(length), 8);
  writeFileSync(adapter, bytes);
  return adapter;
}

/** The cases' `BASE`: the embedded base without its adapter, with another folder put over it. */
export function baseUnder(folder: string, over?: string): string {
  cpSync(embedded.base, folder, { recursive: true });
  rmSync(join(folder, 'initial_adapter.safetensors'));
  if (over !== undefined) cpSync(over, folder, { recursive: true });
  return folder;
}
