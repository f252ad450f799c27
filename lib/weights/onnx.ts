/** Reads the convolutions of an ONNX model. The field numbers are those of the format's definition, onnx.proto. */
import { ModelError } from '../core/errors.js';
import { fieldsOf, packedNumbers } from './protobuf.js';

/** A tensor of float32 values in little-endian order. */
export interface Tensor {
  shape: number[];
  data: Uint8Array;
}

/** A convolution with a bias. The weight has the shape (out, in, height, width), and the bias has (out). */
export interface Convolution {
  weight: Tensor;
  bias: Tensor;
}

const FLOAT32 = 1;
const MODEL = { graph: 7 };
const GRAPH = { node: 1, initializer: 5 };
const NODE = { input: 1, operator: 4 };
const TENSOR = { dimension: 1, type: 2, name: 8, rawData: 9 };

function messageOf(value: number | Uint8Array, what: string): Uint8Array {
  if (typeof value === 'number') throw new Error(`${what} is a number`);
  return value;
}

const textOf = (value: number | Uint8Array, what: string): string =>
  Buffer.from(messageOf(value, what)).toString('utf8');

function readTensor(message: Uint8Array): Tensor & { name: string } {
  const tensor: Tensor & { name: string } = { name: '', shape: [], data: new Uint8Array() };
  let type: number | Uint8Array = 0;
  for (const { number, value } of fieldsOf(message)) {
    if (number === TENSOR.name) tensor.name = textOf(value, 'the name of a tensor');
    else if (number === TENSOR.type) type = value;
    else if (number === TENSOR.rawData) tensor.data = messageOf(value, 'the data of a tensor');
    else if (number === TENSOR.dimension)
      tensor.shape.push(...(typeof value === 'number' ? [value] : packedNumbers(value)));
  }
  const { name, shape, data } = tensor;
  if (type !== FLOAT32) throw new Error(`the tensor ${name} has the data type ${type}, and only 1 (float32) is read`);
  const bytes = shape.reduce((product, size) => product * size, 4);
  if (bytes !== data.length)
    throw new Error(`the tensor ${name} of shape ${shape.join(' x ')} holds ${data.length} bytes instead of ${bytes}`);
  return tensor;
}

function readNode(message: Uint8Array): { operator: string; inputs: string[] } {
  const node = { operator: '', inputs: [] as string[] };
  for (const { number, value } of fieldsOf(message)) {
    if (number === NODE.operator) node.operator = textOf(value, 'an operator');
    else if (number === NODE.input) node.inputs.push(textOf(value, 'an input'));
  }
  return node;
}

function convolutionsOf(model: Uint8Array): Convolution[] {
  const tensors = new Map<string, Tensor>();
  const nodes: { operator: string; inputs: string[] }[] = [];
  for (const { number, value } of fieldsOf(model)) {
    if (number !== MODEL.graph) continue;
    for (const field of fieldsOf(messageOf(value, 'the graph'))) {
      if (field.number === GRAPH.node) nodes.push(readNode(messageOf(field.value, 'a node')));
      if (field.number !== GRAPH.initializer) continue;
      const { name, ...tensor } = readTensor(messageOf(field.value, 'a tensor'));
      tensors.set(name, tensor);
    }
  }
  const tensorOf = (name: string | undefined): Tensor => {
    if (name === undefined) throw new Error('a convolution lacks its weight or bias');
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`a convolution takes the tensor ${name}, which the file does not hold`);
    return tensor;
  };
  return nodes
    .filter(({ operator }) => operator === 'Conv')
    .map(({ inputs: [, weight, bias] }) => ({ weight: tensorOf(weight), bias: tensorOf(bias) }));
}

/**
 * Returns the convolutions of an ONNX model in the order in which the graph computes them. They share memory with
 * `model`. `file` names the model in errors. Throws ERR_WEIGHTS_INVALID with the reason for a file that is damaged, is no
 * ONNX model, or has tensors that are not stored as float32 in the file itself.
 */
export function readConvolutions(model: Uint8Array, file: string): Convolution[] {
  try {
    return convolutionsOf(model);
  } catch (cause) {
    throw new ModelError(
      `${file} cannot be read as an ONNX model: ${(cause as Error).message}`,
      'ERR_WEIGHTS_INVALID',
      {
        cause,
      },
    );
  }
}
