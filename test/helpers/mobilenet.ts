/** Writes a MobileNetV2 of random weights with torchvision's names, for machines on which none is installed. */
import { writeFileSync } from 'node:fs';
import type { Tensor } from '../../lib/weights/onnx.js';
import { safetensorsOf } from '../../lib/weights/safetensors.js';

/** The expansion, the channels and the number of blocks of each stage (arXiv 1801.04381, table 2). */
const STAGES = [
  [1, 16, 1],
  [6, 24, 2],
  [6, 32, 3],
  [6, 64, 4],
  [6, 96, 3],
  [6, 160, 3],
  [6, 320, 1],
] as const;
const STEM = 32;

/** Returns numbers between -1 and 1 that are the same in every run (Numerical Recipes' generator). */
function randomNumbers(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

export function writeMobileNet(file: string): void {
  const next = randomNumbers();
  const tensors = new Map<string, Tensor>();
  const put = (name: string, shape: number[], value: () => number) => {
    const count = shape.reduce((product, extent) => product * extent, 1);
    tensors.set(name, { shape, data: new Uint8Array(Float32Array.from({ length: count }, value).buffer) });
  };
  const unit = (conv: string, norm: string, out: number, from: number, side: number) => {
    const spread = Math.sqrt(6 / (from * side * side)); // keeps the deviation of the features (He et al. 2015)
    put(`${conv}.weight`, [out, from, side, side], () => spread * next());
    put(`${norm}.weight`, [out], () => 1);
    put(`${norm}.bias`, [out], () => 0.1 * next());
    put(`${norm}.running_mean`, [out], () => 0);
    put(`${norm}.running_var`, [out], () => 1);
  };
  unit('features.0.0', 'features.0.1', STEM, 3, 3);
  let [index, from] = [1, STEM];
  for (const [expansion, out, count] of STAGES) {
    for (let block = 0; block < count; block++, index++) {
      const hidden = from * expansion;
      const name = `features.${index}.conv`;
      const first = expansion > 1 ? 1 : 0;
      if (first === 1) unit(`${name}.0.0`, `${name}.0.1`, hidden, from, 1);
      unit(`${name}.${first}.0`, `${name}.${first}.1`, hidden, 1, 3);
      unit(`${name}.${first + 1}`, `${name}.${first + 2}`, out, hidden, 1);
      from = out;
    }
  }
  writeFileSync(file, Buffer.concat(safetensorsOf(tensors, {})));
}
