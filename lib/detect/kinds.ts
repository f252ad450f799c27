/** Describes the detectors: what each learns from, and how it is trained. */
import { InvalidOptionError } from '../core/errors.js';
import { type BackboneName, backbones, type DetectorName, type ProtocolName } from '../options/names.js';

/** The settings of a network's training. */
export interface LearnerProtocol {
  /** The base width of the network, in channels. */
  channels: number;
  batchSize: number;
  iterations: number;
  /** The learning rate of the optimiser before it decays. */
  learningRate: number;
}

/** What is known of a detector. */
export interface DetectorKind {
  name: DetectorName;
  /** `either` learns from good images alone, or from defects too. */
  learnsFrom: 'good' | 'defects' | 'either';
  /** The defects that the detector makes up if it is given good images alone. */
  madeUp: 'none' | 'draem';
  /** The backbones that it can compare images by. The first is its own choice. The list is empty if it has none. */
  backbones: readonly BackboneName[];
  /** True if the backbone is trained, and starts from random weights where there are none. */
  startsRandom: boolean;
  /** True if it is trained by gradients. Otherwise only the batch size of its settings counts. */
  isTrained: boolean;
  /** The least pixels along each side of the squares that it can see. */
  leastSide: number;
  /** True if maps are probabilities, 0 to 1. Otherwise their scores have any range. */
  givesProbabilities: boolean;
  settings: Record<ProtocolName, LearnerProtocol>;
}

/**
 * The backbone where none is named and several fit, because its weights can be installed and it is fast. Generated pairs
 * are compared by it, too.
 */
export const USUAL_BACKBONE = 'mobilenet-v2' satisfies BackboneName;
const ANY_BACKBONE = [USUAL_BACKBONE, ...backbones.filter((name) => name !== USUAL_BACKBONE)] as const;

/** These backbones have stages with strides of 4, 8 and 16. The first can be installed. */
const CONVOLUTIONAL = [USUAL_BACKBONE, 'efficientnet-lite0', 'resnet18', 'resnet50', 'wide-resnet50-2'] as const;
/** These backbones can be trained. */
const RESIDUAL = ['resnet18', 'resnet50', 'wide-resnet50-2'] as const;

/** Most detectors are like this. Their entries say how they differ. */
const USUAL = {
  madeUp: 'none',
  backbones: [],
  startsRandom: false,
  isTrained: true,
  leastSide: 32,
  givesProbabilities: false,
} as const;

const DRAEM: Omit<DetectorKind, 'name'> = {
  ...USUAL,
  learnsFrom: 'either',
  madeUp: 'draem',
  givesProbabilities: true,
  settings: {
    // The published 700 epochs are 21,000 iterations for 240 good images.
    paper: { channels: 64, batchSize: 8, iterations: 21000, learningRate: 1e-4 },
    small: { channels: 8, batchSize: 8, iterations: 800, learningRate: 5e-4 },
  },
};

export const DETECTORS: Record<DetectorName, DetectorKind> = {
  unet: {
    name: 'unet',
    ...USUAL,
    learnsFrom: 'defects',
    givesProbabilities: true,
    settings: {
      paper: { channels: 64, batchSize: 16, iterations: 6400, learningRate: 1e-4 },
      small: { channels: 8, batchSize: 16, iterations: 2000, learningRate: 5e-4 },
    },
  },
  patchcore: {
    name: 'patchcore',
    ...USUAL,
    learnsFrom: 'good',
    backbones: ANY_BACKBONE,
    isTrained: false,
    // Progress counts its steps as shares of the iterations.
    settings: {
      paper: { channels: 1, batchSize: 8, iterations: 100, learningRate: 1e-4 },
      small: { channels: 1, batchSize: 8, iterations: 100, learningRate: 1e-4 },
    },
  },
  draem: { name: 'draem', ...DRAEM },
  'draem-sspcab': { name: 'draem-sspcab', ...DRAEM },
  supersimplenet: {
    name: 'supersimplenet',
    ...USUAL,
    learnsFrom: 'either',
    backbones: ANY_BACKBONE,
    settings: {
      // The published 300 epochs are 2,250 iterations for 240 good images.
      paper: { channels: 64, batchSize: 32, iterations: 2250, learningRate: 1e-4 },
      small: { channels: 8, batchSize: 8, iterations: 1000, learningRate: 5e-4 },
    },
  },
  rd4ad: {
    name: 'rd4ad',
    ...USUAL,
    learnsFrom: 'good',
    backbones: CONVOLUTIONAL,
    settings: {
      paper: { channels: 64, batchSize: 16, iterations: 3000, learningRate: 5e-3 },
      small: { channels: 64, batchSize: 8, iterations: 400, learningRate: 5e-3 },
    },
  },
  cfa: {
    name: 'cfa',
    ...USUAL,
    learnsFrom: 'good',
    backbones: [...CONVOLUTIONAL, 'dinov2-vit-s14'],
    settings: {
      paper: { channels: 64, batchSize: 4, iterations: 2000, learningRate: 1e-3 },
      small: { channels: 64, batchSize: 4, iterations: 400, learningRate: 1e-3 },
    },
  },
  efficientad: {
    name: 'efficientad',
    ...USUAL,
    learnsFrom: 'good',
    backbones: CONVOLUTIONAL,
    leastSide: 128, // Smaller sides than 256 are doubled.
    settings: {
      paper: { channels: 64, batchSize: 1, iterations: 140_000, learningRate: 1e-4 },
      small: { channels: 16, batchSize: 1, iterations: 2000, learningRate: 1e-4 },
    },
  },
  devnet: {
    name: 'devnet',
    ...USUAL,
    learnsFrom: 'defects',
    backbones: RESIDUAL,
    startsRandom: true,
    settings: {
      paper: { channels: 64, batchSize: 48, iterations: 1000, learningRate: 2e-4 },
      small: { channels: 64, batchSize: 16, iterations: 300, learningRate: 2e-4 },
    },
  },
  dra: {
    name: 'dra',
    ...USUAL,
    learnsFrom: 'defects',
    backbones: RESIDUAL,
    startsRandom: true,
    leastSide: 64,
    settings: {
      paper: { channels: 64, batchSize: 48, iterations: 600, learningRate: 2e-4 },
      small: { channels: 64, batchSize: 16, iterations: 300, learningRate: 2e-4 },
    },
  },
};

/** The squares that detectors see, and whether good and generated images are flipped at random. */
export const VIEWS: Record<ProtocolName, { resolution: number; flips: boolean }> = {
  paper: { resolution: 256, flips: false },
  small: { resolution: 128, flips: true },
};

/** Tells whether defects are flipped at random. They always are if there are no generated ones, because they are few. */
export const flipsDefects = (flips: boolean, hasGenerated: boolean): boolean => flips || !hasGenerated;

/** Throws ERR_INVALID_OPTION if a detector cannot see squares as small as these. */
export function requireSides(kinds: readonly DetectorKind[], resolution: number): void {
  const kind = kinds.find(({ leastSide }) => resolution < leastSide);
  if (kind === undefined) return;
  throw new InvalidOptionError(
    `Expected a resolution or tile of at least ${kind.leastSide} pixels for ${kind.name} but received ${resolution}`,
  );
}
