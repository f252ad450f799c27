/** Names the convolutions of a U2-Net whose batch norms are folded into them, as exporters to ONNX do. */
import { ModelError } from '../core/errors.js';
import type { Convolution, Tensor } from './onnx.js';

/** The stages in the order in which the network computes them, and the number of levels of each. */
const STAGES: [name: string, levels: number][] = [
  ['stage1', 7],
  ['stage2', 6],
  ['stage3', 5],
  ['stage4', 4],
  ['stage5', 4],
  ['stage6', 4],
  ['stage5d', 4],
  ['stage4d', 4],
  ['stage3d', 5],
  ['stage2d', 6],
  ['stage1d', 7],
];

/** The convolutions of a stage: its input, its levels downwards, and back up. */
function convolutionsOf([stage, levels]: [string, number]): string[] {
  const down = Array.from({ length: levels }, (_, i) => `rebnconv${i + 1}`);
  const up = down.slice(0, -1).reverse();
  return ['rebnconvin', ...down, ...up.map((name) => `${name}d`)].map((name) => `${stage}.${name}`);
}

const NORMALIZED = STAGES.flatMap(convolutionsOf);
const SIDES = ['side1', 'side2', 'side3', 'side4', 'side5', 'side6'];
const NAMES = [...NORMALIZED, ...SIDES, 'outconv'];

const filled = (size: number, value: number): Tensor => ({
  shape: [size],
  data: new Uint8Array(new Float32Array(size).fill(value).buffer),
});

/**
 * With this variance, the batch norm after a convolution is exactly the identity, because the network adds this epsilon
 * to it and the sum in float32 is one.
 */
const IDENTITY_VARIANCE = 1 - 1e-5;

/**
 * Returns the tensors of a U2-Net by the names of the published state dict. `convolutions` are in the order in which the
 * network computes them. `file` names them in errors. Throws ERR_WEIGHTS_INVALID if they are not those of a U2-Net.
 */
export function u2netTensors(convolutions: readonly Convolution[], file: string): Map<string, Tensor> {
  const refuse = (reason: string) => new ModelError(`${file} is no U2-Net: ${reason}`, 'ERR_WEIGHTS_INVALID');
  if (convolutions.length !== NAMES.length)
    throw refuse(`it has ${convolutions.length} convolutions instead of ${NAMES.length}`);
  const tensors = new Map<string, Tensor>();
  convolutions.forEach(({ weight, bias }, i) => {
    const name = NAMES[i] as string;
    const isSide = i >= NORMALIZED.length;
    const kernel = name === 'outconv' ? 1 : 3;
    const [out = 0, , height, width] = weight.shape;
    const fits = weight.shape.length === 4 && height === kernel && width === kernel && (!isSide || out === 1);
    if (!fits || bias.shape.length !== 1 || bias.shape[0] !== out)
      throw refuse(
        `convolution ${i + 1}, ${name}, has the shapes ${weight.shape.join(' x ')} and ${bias.shape.join(' x ')}`,
      );
    const convolution = isSide ? name : `${name}.conv_s1`;
    tensors.set(`${convolution}.weight`, weight).set(`${convolution}.bias`, bias);
    if (isSide) return;
    const norm = { weight: 1, bias: 0, running_mean: 0, running_var: IDENTITY_VARIANCE };
    for (const [part, value] of Object.entries(norm)) tensors.set(`${name}.bn_s1.${part}`, filled(out, value));
  });
  return tensors;
}
