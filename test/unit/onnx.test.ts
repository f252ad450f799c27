import { describe, expect, it } from 'vitest';
import { DualAnoDiffError } from '../../lib/core/errors.js';
import { readConvolutions } from '../../lib/weights/onnx.js';
import { safetensorsOf } from '../../lib/weights/safetensors.js';
import { u2netTensors } from '../../lib/weights/u2net-layers.js';
import {
  bytesField,
  convolutionModel,
  type FoldedConvolution,
  modelOf,
  nodeMessage,
  numberField,
  tensorMessage,
  varint,
} from '../helpers/onnx.js';
import { ORDER } from '../helpers/u2net.js';

/** A convolution whose numbers tell which one it is. */
const convolution = (i: number, shape = [2, 1, 3, 3]): FoldedConvolution => ({
  weight: { shape, values: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(i + 0.5) },
  bias: new Float32Array(shape[0] ?? 0).fill(-i),
});
const floats = (bytes: Uint8Array) => [...new Float32Array(Uint8Array.from(bytes).buffer)];

/** The convolutions of the smallest U2-Net. */
const smallest = ORDER.map((name, i) =>
  convolution(i, name === 'outconv' ? [1, 6, 1, 1] : name.startsWith('side') ? [1, 1, 3, 3] : [2, 1, 3, 3]),
);
const read = (model: Uint8Array) => u2netTensors(readConvolutions(model, 'x.onnx'), 'x.onnx');

function expectRefusal(model: Uint8Array, ...texts: string[]): void {
  try {
    read(model);
  } catch (error) {
    expect(error).toBeInstanceOf(DualAnoDiffError);
    expect((error as DualAnoDiffError).code).toBe('ERR_WEIGHTS_INVALID');
    for (const text of ['x.onnx', ...texts]) expect((error as Error).message).toContain(text);
    return;
  }
  expect.fail(`it should have been refused: ${texts}`);
}

describe('the reader of ONNX files', () => {
  it('finds the convolutions in the order of the graph, wherever their tensors are', () => {
    const found = readConvolutions(convolutionModel([convolution(0), convolution(1), convolution(2)]), 'x.onnx');
    expect(found.map(({ weight }) => weight.shape)).toEqual(Array(3).fill([2, 1, 3, 3]));
    expect(found.map(({ weight }) => floats(weight.data))).toEqual(
      [0.5, 1.5, 2.5].map((value) => Array(18).fill(value)),
    );
    expect(found.map(({ bias }) => floats(bias.data))).toEqual([
      [-0, -0],
      [-1, -1],
      [-2, -2],
    ]);
  });

  it('refuses a file that is cut off anywhere', () => {
    const model = convolutionModel(smallest.slice(0, 3));
    for (let length = 0; length < model.length; length++) expectRefusal(model.subarray(0, length));
  });

  it('never fails in another way on damaged files', () => {
    const model = convolutionModel(smallest);
    let random = 1;
    for (let round = 0; round < 500; round++) {
      const damaged = Buffer.from(model);
      for (let change = 0; change < 4; change++) {
        random = (random * 48271) % 2147483647;
        damaged[random % damaged.length] = random >> 8;
      }
      try {
        read(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(DualAnoDiffError);
      }
    }
  });

  it('refuses lengths and sizes that the file does not hold, without taking memory for them', () => {
    const tensor = tensorMessage({ name: 'w', shape: [2, 1, 3, 3], values: new Float32Array(18) });
    expectRefusal(bytesField(7, 'graph', 2 ** 52), 'claims 4503599627370496 bytes where 5 are left');
    expectRefusal(modelOf([], [bytesField(9, 'data', 2 ** 31)]), 'claims 2147483648 bytes');
    const huge = tensorMessage({ name: 'w', shape: [2 ** 40, 2 ** 40], values: new Float32Array(1) });
    expectRefusal(modelOf([], [huge]), 'the tensor w of shape 1099511627776 x 1099511627776 holds 4 bytes');
    expectRefusal(modelOf([], [Buffer.concat([tensor, numberField(1, 5)])]), '2 x 1 x 3 x 3 x 5 holds 72 bytes');
    expectRefusal(Buffer.alloc(64, 0xff), 'has more than 64 bits');
    expectRefusal(Buffer.concat([varint(8 * 7 + 3), Buffer.alloc(9)]), 'the unknown kind 3');
  });

  it('says what it does not read', () => {
    const values = new Float32Array(18);
    const half = Buffer.concat([numberField(1, 18), numberField(2, 10), bytesField(8, 'w'), bytesField(9, 'x')]);
    expectRefusal(modelOf([], [half]), 'the tensor w has the data type 10, and only 1 (float32) is read');
    const external = Buffer.concat([numberField(1, 18), numberField(2, 1), bytesField(8, 'w'), numberField(14, 1)]);
    expectRefusal(modelOf([], [external]), 'the tensor w of shape 18 holds 0 bytes instead of 72');
    const weight = tensorMessage({ name: 'w', shape: [2, 1, 3, 3], values });
    expectRefusal(modelOf([nodeMessage('Conv', ['x', 'w'])], [weight]), 'lacks its weight or bias');
    expectRefusal(modelOf([nodeMessage('Conv', ['x', 'w', 'b'])], [weight]), 'the tensor b, which the file');
    expectRefusal(numberField(7, 1), 'the graph is a number');
    expectRefusal(Buffer.from('<!DOCTYPE html><title>Sign in</title>'));
  });
});

describe('the layers of a U2-Net', () => {
  it('get the names of the published state dict, in the order of the network', () => {
    const tensors = read(convolutionModel(smallest));
    ORDER.forEach((name, i) => {
      const layer = name.includes('.') ? `${name}.conv_s1` : name;
      expect(floats(tensors.get(`${layer}.weight`)?.data ?? new Uint8Array())[0], name).toBe(i + 0.5);
      expect(floats(tensors.get(`${layer}.bias`)?.data ?? new Uint8Array())[0], name).toBe(-i);
    });
    expect(tensors.size).toBe(112 * 6 + 7 * 2);
  });

  it('get batch norms that change nothing, in float32 and in float64', () => {
    const tensors = read(convolutionModel(smallest));
    const [variance] = floats(tensors.get('stage1.rebnconvin.bn_s1.running_var')?.data ?? new Uint8Array()) as [number];
    expect(Math.fround(1 / Math.sqrt(variance + 1e-5))).toBe(1);
    expect(Math.fround(variance + Math.fround(1e-5))).toBe(1);
    for (const [part, value] of [
      ['weight', 1],
      ['bias', 0],
      ['running_mean', 0],
    ] as const)
      expect(floats(tensors.get(`stage1d.rebnconv1d.bn_s1.${part}`)?.data ?? new Uint8Array())).toEqual([value, value]);
  });

  it('are refused if there are too few, or if they come in another order', () => {
    expectRefusal(convolutionModel(smallest.slice(1)), 'is no U2-Net: it has 118 convolutions instead of 119');
    expectRefusal(convolutionModel([]), 'it has 0 convolutions');
    const [first, ...rest] = smallest as [FoldedConvolution, ...FoldedConvolution[]];
    expectRefusal(convolutionModel([...rest, first]), 'convolution 118, side6');
    expectRefusal(convolutionModel([...smallest].reverse()), 'convolution 1, stage1.rebnconvin, has the shapes 1 x 6');
    const wrongBias = smallest.map((one, i) => (i === 5 ? { ...one, bias: new Float32Array(3) } : one));
    expectRefusal(convolutionModel(wrongBias), 'stage1.rebnconv5, has the shapes 2 x 1 x 3 x 3 and 3');
  });
});

it('a safetensors file has an aligned header and the tensors one after another', () => {
  const data = Buffer.from(Float32Array.of(1, 2, 3).buffer);
  const bytes = Buffer.concat(
    safetensorsOf(
      new Map([
        ['a', { shape: [3], data }],
        ['b', { shape: [1, 3], data }],
      ]),
      { k: 'v' },
    ),
  );
  const length = Number(bytes.readBigUInt64LE(0));
  expect(length % 8).toBe(0);
  expect(JSON.parse(bytes.subarray(8, 8 + length).toString())).toEqual({
    __metadata__: { k: 'v' },
    a: { dtype: 'F32', shape: [3], data_offsets: [0, 12] },
    b: { dtype: 'F32', shape: [1, 3], data_offsets: [12, 24] },
  });
  expect(bytes.subarray(8 + length)).toEqual(Buffer.concat([data, data]));
});
