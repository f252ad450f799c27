import { readFileSync } from 'node:fs';
import { embedded } from '../../lib/core/paths.js';
import type { FoldedConvolution } from './onnx.js';

interface Stored {
  shape: number[];
  values: Float32Array;
}

function halfToFloat(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** The tensors of the embedded mask model, which has the names of the published state dict and batch norms. */
export function embeddedU2net(): Map<string, Stored> {
  const bytes = readFileSync(embedded.maskModel);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, start).toString());
  delete header.__metadata__;
  return new Map(
    Object.entries<{ dtype: string; shape: number[]; data_offsets: [number, number] }>(header).map(([name, entry]) => {
      if (entry.dtype !== 'F16') throw new Error(`${name} is stored as ${entry.dtype}`);
      const size = (entry.data_offsets[1] - entry.data_offsets[0]) / 2;
      const read = (_: unknown, i: number) => halfToFloat(bytes.readUInt16LE(start + entry.data_offsets[0] + 2 * i));
      return [name, { shape: entry.shape, values: Float32Array.from({ length: size }, read) }];
    }),
  );
}

/** The order in which a U2-Net computes its convolutions: each stage goes down its levels and up again. */
export const ORDER = [
  ...stage('stage1', 7).concat(stage('stage2', 6), stage('stage3', 5), stage('stage4', 4)),
  ...stage('stage5', 4).concat(stage('stage6', 4), stage('stage5d', 4), stage('stage4d', 4)),
  ...stage('stage3d', 5).concat(stage('stage2d', 6), stage('stage1d', 7)),
  ...['side1', 'side2', 'side3', 'side4', 'side5', 'side6', 'outconv'],
];

function stage(name: string, levels: number): string[] {
  const up = ['6d', '5d', '4d', '3d', '2d', '1d'].slice(7 - levels);
  return ['in', ...'1234567'.slice(0, levels), ...up].map((part) => `${name}.rebnconv${part}`);
}

/** The convolutions of a U2-Net in the network's order, with its batch norms folded in as an exporter does it. */
export function foldedConvolutions(tensors: Map<string, Stored>): FoldedConvolution[] {
  const get = (name: string) => tensors.get(name) as Stored;
  return ORDER.map((name) => {
    if (!name.includes('.')) return { weight: get(`${name}.weight`), bias: get(`${name}.bias`).values };
    const { shape, values } = get(`${name}.conv_s1.weight`);
    const [bias, gamma, beta, mean, variance] = [
      ...['conv_s1.bias', 'bn_s1.weight', 'bn_s1.bias', 'bn_s1.running_mean', 'bn_s1.running_var'],
    ].map((part) => get(`${name}.${part}`).values) as [Float32Array, ...Float32Array[]];
    const at = (array: Float32Array | undefined, i: number) => array?.[i] ?? Number.NaN;
    const scale = bias.map((_, i) => at(gamma, i) / Math.sqrt(at(variance, i) + 1e-5));
    const each = values.length / bias.length;
    return {
      weight: { shape, values: values.map((value, i) => value * at(scale, Math.floor(i / each))) },
      bias: bias.map((value, i) => (value - at(mean, i)) * at(scale, i) + at(beta, i)),
    };
  });
}
