/** Writes ONNX files, as protobuf messages field by field. */

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

export const numberField = (number: number, value: number): Buffer =>
  Buffer.concat([varint(8 * number), varint(value)]);

/** A field of bytes. It may claim another length than it has. */
export function bytesField(number: number, value: string | Uint8Array, length?: number): Buffer {
  const bytes = Buffer.from(value as Uint8Array);
  return Buffer.concat([varint(8 * number + 2), varint(length ?? bytes.length), bytes]);
}

export interface OnnxTensor {
  name: string;
  shape: number[];
  values: Float32Array;
}

/** The message of a tensor. Both ways to write its shape are in use. */
export function tensorMessage({ name, shape, values }: OnnxTensor, isPacked = false): Buffer {
  const dimensions = isPacked
    ? [bytesField(1, Buffer.concat(shape.map(varint)))]
    : shape.map((size) => numberField(1, size));
  const data = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.concat([...dimensions, numberField(2, 1), bytesField(8, name), bytesField(9, data)]);
}

export const nodeMessage = (operator: string, inputs: string[]): Buffer =>
  Buffer.concat([...inputs.map((input) => bytesField(1, input)), bytesField(2, 'output'), bytesField(4, operator)]);

/** A model with the nodes and tensors in the given order, and with fields that the reader does not need. */
export function modelOf(nodes: Buffer[], tensors: Buffer[]): Buffer {
  const graph = [
    ...nodes.map((node) => bytesField(1, node)),
    bytesField(2, 'torch-jit-export'),
    ...tensors.map((tensor) => bytesField(5, tensor)),
  ];
  return Buffer.concat([numberField(1, 6), bytesField(2, 'pytorch'), bytesField(7, Buffer.concat(graph))]);
}

export interface FoldedConvolution {
  weight: { shape: number[]; values: Float32Array };
  bias: Float32Array;
}

/** A model that computes the convolutions one after another. Its tensors are stored in another order. */
export function convolutionModel(convolutions: FoldedConvolution[]): Buffer {
  const nodes = convolutions.flatMap((_, i) => [
    nodeMessage('Conv', [`in${i}`, `weight${i}`, `bias${i}`]),
    nodeMessage('Relu', [`out${i}`]),
  ]);
  const tensors = convolutions.flatMap(({ weight, bias }, i) => [
    tensorMessage({ name: `weight${i}`, ...weight }, i % 2 === 0),
    tensorMessage({ name: `bias${i}`, shape: [bias.length], values: bias }),
  ]);
  return modelOf(nodes, tensors.reverse());
}
