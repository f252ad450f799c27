import { readFileSync } from 'node:fs';

/** The float32 values of every tensor whose name matches, in the file's order. */
export function* readTensor(file: string, name: RegExp): Generator<Float32Array> {
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<
    string,
    { data_offsets: [number, number] }
  >;
  for (const [key, { data_offsets }] of Object.entries(header)) {
    if (!name.test(key)) continue;
    const [from, to] = data_offsets.map((offset) => 8 + length + offset) as [number, number];
    yield new Float32Array(Uint8Array.from(bytes.subarray(from, to)).buffer);
  }
}
