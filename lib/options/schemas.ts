/** Every option of the package with its range and default; nothing else holds a second default. */
import { z } from 'zod';
import type { RawImage } from '../core/image.js';
import { above, flag, integer, oneOf, real, signal, text } from './check.js';
import { typeName } from './type-name.js';

export const schedulers = ['pndm', 'ddim', 'ddpm', 'euler', 'dpmsolver++', 'dpmsolver++-karras', 'unipc'] as const;
/** The paper's nested prompts. */
export const DEFAULT_PROMPTS = { global: 'a vfx with sks', anomaly: 'sks' };

/** 'auto', 'cpu', 'cuda' or 'cuda:N'. */
const device = () =>
  z
    .string()
    .regex(/^(auto|cpu|cuda(:\d+)?)$/, 'auto, cpu, cuda or cuda:N')
    .default('auto');
const seed = () => integer(0).default(0);
/** Adapters are told by their ending when they are read. */
export const adapterFile = () => text().regex(/\.safetensors$/, 'a file name that ends in .safetensors');

/** How a base is read that is one checkpoint file, and what it predicts where its files do not say. */
const sourceShape = {
  /** For a checkpoint file: a diffusers folder with its configs, where they cannot be told by its tensors. */
  configFolder: text().min(1, 'a folder').optional(),
  predictionType: oneOf(['epsilon', 'v_prediction']).optional(),
};

export const loadSchema = z.strictObject({
  device: device(),
  dtype: oneOf(['auto', 'float32', 'bfloat16', 'float16']).default('auto'),
  ...sourceShape,
  /** LoRA files made for the base, or folders with one (PEFT's with its adapter_config.json), merged into its weights. */
  loras: z
    .array(
      z.strictObject({ file: text().min(1, 'a file'), scale: real(-100, 100).default(1) }, 'an object { file, scale }'),
      'a list',
    )
    .default([]),
  /** A TAESD decoder, for previews and fast decoding. */
  taesd: text().min(1, 'a file or folder').optional(),
  signal: signal(),
});

const precision = () => oneOf(['float32', 'float16', 'bfloat16']).default('float32');
export const convertCheckpointSchema = z.strictObject({ ...sourceShape, dtype: precision(), signal: signal() });
export const convertAdapterSchema = z.strictObject({
  /** The own format, or the published code's names. */
  layout: oneOf(['own', 'published']).default('own'),
  dtype: precision(),
  /** Stores SAIM at this rank. */
  saimRank: integer(1, 1280).optional(),
  signal: signal(),
});

/** How many of a type's images train: 'N' or 'a/b' of them, the first by name; with '@k', the k-th such part. */
export const trainImagesSchema = z
  .union([integer(1), z.string()], 'N, a/b or a/b@k')
  .refine((value) => typeof value === 'number' || /^[1-9]\d*(\/[1-9]\d*)?(@[1-9]\d*)?$/.test(value), 'N, a/b or a/b@k');

export const fits = ['crop', 'stretch'] as const;

/** Where the foregrounds come from that background compensation leaves out. */
const foregroundShape = {
  /** A folder of masks named like the images, or 'none' where all of an image is background. */
  foregroundMasks: text().min(1, "a folder, or 'none'").optional(),
  /** U2-Net weights that find the foreground where there are no masks; the embedded ones by default. */
  foregroundWeights: text().min(1, 'a file').optional(),
};
export const foregroundSchema = z.strictObject(foregroundShape);

export const trainerSchema = z.strictObject({
  type: typeName(),
  rank: integer(1, 320).default(32),
  learningRate: above(0, 1).optional(),
  warmupSteps: integer(0).default(0),
  weightDecay: real(0, 1).default(0.01),
  maxGradNorm: real(0, 1e6).default(1),
  timestepPower: real(1, 10).optional(),
  /** Of the loss, at least this share comes from the defect. */
  defectLossShare: real(0, 1).optional(),
  /** A file to start from, or 'none' for a fresh adapter. */
  initialAdapter: text().min(1, "a file, or 'none'").optional(),
  batchSize: integer(1, 1024).optional(),
  gradientAccumulation: integer(1, 1024).default(1),
  resolution: integer(8, 4096).optional(),
  fit: oneOf(fits).default('crop'),
  /** Blank of the anomaly part; auto: whichever more of the training defects' pixels can be told from. */
  partFill: oneOf(['grey', 'black', 'auto']).default('grey'),
  flips: flag().default(true),
  /**
   * What is learned of the pair: both branches joined by SAIM, both without it, or the whole image alone, whose pairs'
   * parts are copies of their images. The last two are the paper's ablations.
   */
  branches: oneOf(['joint', 'separate', 'one']).default('joint'),
  /** Background compensation: off, the paper's form, or that of published checkpoints. */
  background: oneOf(['off', 'add', 'interpolate']).default('off'),
  /** Whether background latents are scaled by the autoencoder's factor. */
  backgroundScaled: flag().default(true),
  ...foregroundShape,
  trainImages: trainImagesSchema.default('1/3'),
  trainTextEncoder: flag().default(true),
  /** Keep less for the backward pass and compute it again there (arXiv 1604.06174): less memory, about a third more time. */
  gradientCheckpointing: flag().default(false),
  globalPrompt: text().optional(),
  anomalyPrompt: text().optional(),
  seed: seed(),
});

export const trainSchema = z.strictObject({
  steps: integer(1).optional(),
  /** `<out>`: checkpoints and the log are written beside it. */
  out: adapterFile().optional(),
  checkpointEvery: integer(1).default(500),
  resume: flag().default(false),
  signal: signal(),
});

export const sampleSchema = z.strictObject({
  count: integer(1),
  steps: integer(1, 1000).default(50),
  guidanceScale: real(0, 100).default(2.5),
  /** The calls that are guided, by their place between image (0) and noise (1): arXiv 2404.07724. */
  guidanceInterval: z
    .tuple([real(0, 1), real(0, 1)], 'two numbers')
    .refine(([from, to]) => from <= to, 'two numbers of which the second is no smaller')
    .default([0, 1]),
  /**
   * The UNet's inner levels are computed at every so many calls, and between them those of the call before serve
   * (DeepCache, arXiv 2312.00858). 1: at every call.
   */
  reuseFeatures: integer(1, 100).default(1),
  scheduler: oneOf(schedulers).default('pndm'),
  eta: real(0, 1).default(0),
  batchSize: integer(1, 1024).default(4),
  seed: seed(),
  resolution: integer(8, 4096).optional(),
  /** The prompts that the adapter was trained with by default. */
  globalPrompt: text().optional(),
  anomalyPrompt: text().optional(),
  negativePrompt: text().default(''),
  /** Start from the mean of the training images' latents, their colour; what suits the base by default. */
  startFromLatentMean: flag().optional(),
  /** Give each pair the map of where the anomaly branch looks, for masks. */
  attention: flag().default(false),
  /** What makes images of latents: the base's own decoder, or the TAESD that it was loaded with. */
  decoder: oneOf(['vae', 'taesd']).default('vae'),
  /** What the pairs' backgrounds are to be, as large as the pairs: for adapters with background compensation. */
  backgrounds: z
    .custom<readonly { image: RawImage; foreground: RawImage }[]>(
      (value) => Array.isArray(value) && value.length > 0 && value.every((one) => one?.image && one?.foreground),
      'a list of { image, foreground } that is not empty',
    )
    .optional(),
  /** Pairs that share a background before the next one takes over. */
  backgroundEvery: integer(1).default(50),
  /** Whether background latents are scaled by the autoencoder's factor; as the adapter says by default. */
  backgroundScaled: flag().optional(),
  /** One noise for each background, or fresh noise at every step, as published. */
  backgroundNoise: oneOf(['fixed', 'fresh']).default('fixed'),
  /**
   * Where the features of a background's passes are kept for later batches that show it, each of its calls 46 MB in
   * float32 for Stable Diffusion at 512 pixels: on the device, or on the host, from where they are copied at every call.
   */
  keepBackgroundFeatures: oneOf(['no', 'device', 'host']).default('no'),
  /** Indices that are there already. */
  skip: z.custom<ReadonlySet<number>>((value) => value instanceof Set, 'a Set of numbers').optional(),
  signal: signal(),
  onProgress: z
    .custom<(step: number, steps: number) => void>((value) => typeof value === 'function', 'a function')
    .optional(),
});

/**
 * Named settings of `Sampler.sample` for fewer and cheaper calls of the model, each with what its pairs lose against
 * the default in the README: `sampler.sample({ ...SAMPLING_PRESETS.fast, count: 1000 })`.
 */
export const SAMPLING_PRESETS = {
  fast: { scheduler: 'dpmsolver++', steps: 15, guidanceInterval: [0.2, 1], reuseFeatures: 2 },
} satisfies Record<string, Partial<z.input<typeof sampleSchema>>>;

/** Options of one batch that is denoised step by step. */
export const batchSchema = sampleSchema.omit({ count: true, batchSize: true, skip: true, onProgress: true }).extend({
  /** Which pairs of the seed. */
  indices: z.array(integer(0), 'a list of integers').min(1, 'at least one index'),
});

export const protocols = ['paper', 'small'] as const;
export const baselines = ['none', 'crop-paste', 'draem'] as const;
export const evaluatorSchema = z.strictObject({
  /** `paper`: the published evaluation. `small`: the same with fewer pixels, a narrow network and fewer iterations. */
  protocol: oneOf(protocols).default('small'),
  /**
   * Folders of generated pairs, each a row of the table by its name; `sample`'s output, or `run`'s. Several of one name are
   * for the seeds, one each, so that the deviation is of other pairs, too.
   */
  generated: z
    .record(
      z.string().regex(/^[\w.-]+$/, 'a name of letters, digits, _, . and -'),
      z.union([z.string(), z.array(z.string()).min(1, 'at least one folder')], 'a folder, or a list of folders'),
    )
    .default({}),
  /** Whether each generated set is a row together with the real training pairs, too. */
  withReal: flag().default(true),
  /** What to compare with. */
  compare: z.array(oneOf(baselines), 'a list').default([...baselines]),
  /** Runs of each row, with seeds `seed`, `seed` + 1, ... */
  seeds: integer(1, 1000).default(3),
  seed: seed(),
  /**
   * How many of a type's images train: the first third by default, all of them where there is a test set. '1/3@2' is the
   * second third: with few images, judge more than one split.
   */
  trainImages: trainImagesSchema.optional(),
  /** A category in the same layout whose `test` is all tested on; without it, what of the dataset's does not train. */
  testData: text().min(1, 'a folder').optional(),
  /** A folder of images for the textures of `draem`; without it, noise and changed good images serve. */
  textures: text().min(1, 'a folder').optional(),
  /** Override the protocol's. */
  iterations: integer(1).optional(),
  /** Of a detector's Adam before it decays. */
  learningRate: above(0, 1).optional(),
  classifierIterations: integer(1).optional(),
  resolution: integer(32, 4096)
    .refine((value) => value % 32 === 0, 'a multiple of 32')
    .optional(),
  /** Whether a classifier of the types is trained, too. */
  classifier: flag().default(true),
  /** A file of torchvision's ResNet-18 that classifiers start from (with `protocol: 'paper'`); fresh weights without it. */
  classifierWeights: text().min(1, 'a file').optional(),
  /** A file of torchvision's Inception v3: each generated set's Inception Score is measured. */
  inceptionWeights: text().min(1, 'a file').optional(),
  /** Files of torchvision's AlexNet, VGG-16 or SqueezeNet 1.1, and of LPIPS's layers for it: IC-LPIPS is measured. */
  lpipsWeights: z.strictObject({ backbone: text().min(1, 'a file'), linear: text().min(1, 'a file') }).optional(),
  /**
   * Runs at a time, which share the cores (and `--profile` sees the first of). By default as many as there are cores, up
   * to 8, with `small` on a CPU; else 1.
   */
  jobs: integer(1, 64).optional(),
  checkpointEvery: integer(1).default(500),
  device: device(),
});

export const pairWriterSchema = z.strictObject({
  type: typeName(),
  adapter: text(),
  settings: z.record(z.string(), z.unknown(), 'the settings by their names'),
  resume: flag(),
});

/** An attention map is a saliency already. */
export const attentionSchema = z.strictObject({ threshold: real(0, 1).default(0.5) });
export const maskerSchema = z.strictObject({ device: device(), threshold: real(0, 1).default(0.5) });
export const thresholdSchema = z.strictObject({
  partFill: oneOf(['grey', 'black']).default('grey'),
  /** Distance from the fill, of the full range. */
  threshold: real(0, 1).default(0.12),
});
