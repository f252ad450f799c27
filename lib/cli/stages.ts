/** The steps that several commands share: train, sample with masks. */
import { basename, resolve } from 'node:path';
import { InvalidOptionError } from '../core/errors.js';
import { fileDigest, writeFileAtomic } from '../core/files.js';
import type { PixelData } from '../core/image.js';
import { lockFolder, type WriteLock } from '../core/write-lock.js';
import type { Dataset, Example } from '../dataset/dataset.js';
import { imagesBelow } from '../dataset/folders.js';
import { needsGoodImages, refuseNoGoodImages } from '../dataset/good-images.js';
import { encodePng } from '../dataset/image-file.js';
import type { ImageSource } from '../dataset/image-source.js';
import { PairWriter } from '../dataset/pair-writer.js';
import { selectPairs } from '../dataset/selection.js';
import { Layouts, refuseIdlePaste } from '../layouts.js';
import { type LogEntry, RunFiles } from '../model/checkpoints.js';
import type { DualAnoDiff } from '../model/dualanodiff.js';
import { type Background, loadBackgrounds, withForegroundSource } from '../model/foreground.js';
import { Sampler } from '../model/sampler.js';
import { Trainer } from '../model/trainer.js';
import { checkOptions, given } from '../options/check.js';
import { layoutsSchema, type schedulers, trainerSchema } from '../options/schemas.js';
import type { Console } from './console.js';
import { keepRule, type MaskFlags, PairMasker } from './masks.js';
import { pickOptions } from './options.js';

/** What pairs are called whose adapter does not say (published ones). */
const DEFAULT_TYPE = 'anomaly';

/** Flags of `train` as commander gives them. */
export interface TrainFlags {
  steps?: number;
  batchSize?: number;
  gradientAccumulation: number;
  rank: number;
  learningRate?: number;
  timestepPower?: number;
  defectShare?: number;
  initialAdapter?: string;
  warmupSteps: number;
  resolution?: number;
  seed: number;
  trainImages: string;
  fit: 'crop' | 'stretch';
  partFill: 'grey' | 'black' | 'auto';
  branches: 'joint' | 'separate' | 'one';
  flips: boolean;
  background: 'off' | 'add' | 'interpolate';
  backgroundScaled: boolean;
  foregroundMasks?: string;
  foregroundWeights?: string;
  textEncoder: boolean;
  gradientCheckpointing?: boolean;
  globalPrompt?: string;
  anomalyPrompt?: string;
  checkpointEvery: number;
  previewEvery: number;
  resume?: boolean;
}

/** Flags of `sample` as commander gives them. */
export interface SampleFlags {
  steps: number;
  guidanceScale: number;
  guidanceInterval: [number, number];
  reuseFeatures: number;
  scheduler: (typeof schedulers)[number];
  sampleBatchSize: number;
  negativePrompt: string;
  globalPrompt?: string;
  anomalyPrompt?: string;
  decoder: 'vae' | 'taesd';
  backgroundImages?: string;
  backgroundEvery: number;
  backgroundNoise: 'fixed' | 'fresh';
  keepBackgroundFeatures: 'no' | 'device' | 'host';
  /** The strength of variations; undefined for pairs from noise. */
  vary?: number;
  ownShare?: number;
  smallOwnShare?: number;
  pasteShare?: number;
  smallPasteShare?: number;
  thinPasteShare?: number;
  pasteOnDefects?: boolean;
  pasteTurns?: boolean;
  lightSpread?: number;
  smallLightSpread?: number;
  exposureSpread?: number;
  movedContrast?: number;
  varyResolution?: number;
  /** Undefined: as the adapter says. */
  backgroundScaled?: boolean;
  foregroundMasks?: string;
  foregroundWeights?: string;
  seed: number;
  resolution?: number;
  resume?: boolean;
}

export interface TrainedType {
  trainer: Trainer;
  /** Of every step, those of earlier processes too. */
  losses: LogEntry[];
  /** This process's. */
  seconds: number;
}

/** Image and part side by side. */
function sideBySide(image: PixelData, part: PixelData): PixelData {
  const row = image.width * 3;
  const data = new Uint8Array(2 * image.data.length);
  for (let y = 0; y < image.height; y++) {
    data.set(image.data.subarray(y * row, (y + 1) * row), 2 * y * row);
    data.set(part.data.subarray(y * row, (y + 1) * row), (2 * y + 1) * row);
  }
  return { data, width: 2 * image.width, height: image.height, channels: 3 };
}

export async function trainType(
  model: DualAnoDiff,
  dataset: Dataset,
  type: string,
  out: string,
  flags: TrainFlags,
  signal: AbortSignal,
  io: Console,
): Promise<TrainedType> {
  const { resume, checkpointEvery, previewEvery } = flags;
  const settings = pickOptions({ ...flags, type, trainTextEncoder: flags.textEncoder }, trainerSchema);
  const trainer = new Trainer(model, settings);
  const steps = flags.steps ?? model.defaults.steps;
  const start = performance.now();
  const bar = io.progress(`training ${type}`, steps, 'steps');
  try {
    for await (const step of trainer.train(dataset, { steps, out, checkpointEvery, resume: resume ?? false, signal })) {
      bar.update(step.step, `loss ${step.loss.toFixed(4)}`);
      if (previewEvery > 0 && step.step % previewEvery === 0) {
        const pair = await trainer.preview({ steps: 20, seed: flags.seed, signal });
        const file = out.replace(/(\.safetensors)?$/, `.preview-${String(step.step).padStart(6, '0')}.png`);
        await writeFileAtomic(resolve(file), await encodePng(sideBySide(pair.image, pair.part)));
      }
    }
    await trainer.save(out);
  } catch (error) {
    await trainer.dispose();
    throw error;
  } finally {
    bar.stop();
  }
  const losses = await new RunFiles(resolve(out)).readLog();
  return { trainer, losses, seconds: (performance.now() - start) / 1000 };
}

export interface Generated {
  writer: PairWriter;
  emptyMasks: number;
  /** Pairs that `keepBest` dropped. */
  dropped: number;
  seconds: number;
}

export interface Sampling {
  adapter: string;
  out: string;
  count: number;
  flags: SampleFlags & MaskFlags;
  device: string;
  /** Good images, where the flags name no others. */
  goodImages?: readonly ImageSource[];
  /** The real pairs that variations start from. */
  examples?: Example[];
  /** On `out`, where it is taken before. */
  lock?: WriteLock;
}

/** The backgrounds that `count` pairs of the adapter are to have; undefined for an adapter without. */
async function backgroundsFor(
  { adapter }: Sampler,
  { count, flags, device, goodImages = [] }: Sampling,
  resolution: number,
): Promise<Background[] | undefined> {
  const folder = flags.backgroundImages;
  if (flags.vary !== undefined && folder !== undefined) {
    throw new InvalidOptionError('Variations have the backgrounds of their layouts: leave out --background-images');
  }
  if (flags.vary !== undefined) return undefined;
  if (adapter.background === 'off') {
    if (folder === undefined) return undefined;
    throw new InvalidOptionError(
      'The adapter was trained without background compensation: it cannot use --background-images',
    );
  }
  const files = folder === undefined ? goodImages : await imagesBelow(resolve(folder));
  if (files.length === 0) {
    throw new InvalidOptionError(
      `The adapter was trained with background compensation: it needs good images, but ${folder ? `${folder} holds none` : 'there are neither --background-images nor images in train/good of --data'}`,
    );
  }
  const needed = files.slice(0, Math.ceil(count / flags.backgroundEvery));
  return withForegroundSource(flags, device, (source) => loadBackgrounds(needed, resolution, adapter.fit, source));
}

type LayoutFlags = Pick<
  SampleFlags,
  | 'vary'
  | 'ownShare'
  | 'smallOwnShare'
  | 'pasteShare'
  | 'smallPasteShare'
  | 'thinPasteShare'
  | 'pasteOnDefects'
  | 'pasteTurns'
  | 'lightSpread'
  | 'smallLightSpread'
  | 'exposureSpread'
  | 'movedContrast'
  | 'varyResolution'
>;

const layoutChoices = layoutsSchema.omit({ resolution: true, fit: true, seed: true });

/** What the flags say of variations' layouts. To be called before any work is done; throws ERR_INVALID_OPTION. */
export function layoutOptions(flags: LayoutFlags) {
  const { vary, ownShare, smallOwnShare, pasteShare, smallPasteShare, thinPasteShare } = flags;
  const { pasteOnDefects, pasteTurns, varyResolution } = flags;
  const { lightSpread, smallLightSpread, exposureSpread, movedContrast } = flags;
  const shares = { ownShare, smallOwnShare, pasteShare, smallPasteShare, thinPasteShare };
  const look = { lightSpread, smallLightSpread, exposureSpread, movedContrast };
  const chosen = given({ ...shares, pasteOnDefects, pasteTurns, ...look });
  const [idle] = Object.keys({ ...chosen, ...given({ varyResolution }) });
  if (vary === undefined && idle !== undefined) {
    throw new InvalidOptionError(
      `Expected vary with ${idle}, which is of variations: name their strength, as in --vary 0.3`,
    );
  }
  const checked = checkOptions(layoutChoices, chosen);
  refuseIdlePaste(checked);
  return checked;
}

/** Ends a job before its training where pairs need good images and the category has none. */
export async function checkGoodImages(dataset: Dataset, flags: SampleFlags & TrainFlags): Promise<void> {
  if ((await dataset.goodImages()).length > 0) return;
  const folder = dataset.goodPlace();
  if (flags.vary !== undefined && needsGoodImages(layoutOptions(flags))) {
    refuseNoGoodImages(folder, '--own-share 1 and --small-own-share 1, which keep defects in their own images');
  }
  if (flags.vary === undefined && flags.background !== 'off' && flags.backgroundImages === undefined) {
    refuseNoGoodImages(folder, '--background-images');
  }
}

/** Where variations start; undefined for pairs from noise. */
async function layoutsFor(
  { adapter }: Sampler,
  { flags, examples, goodImages = [] }: Sampling,
  resolution: number,
): Promise<Layouts | undefined> {
  if (flags.vary === undefined) return undefined;
  if (!examples) throw new InvalidOptionError('Variations start from real pairs: name their category with --data');
  const { varyResolution, seed } = flags;
  return Layouts.create(examples, goodImages, {
    ...{ resolution: varyResolution ?? resolution, fit: adapter.fit, seed },
    ...layoutOptions(flags),
  });
}

export async function samplePairs(
  model: DualAnoDiff,
  sampling: Sampling,
  signal: AbortSignal,
  io: Console,
): Promise<Generated> {
  const { adapter, out, count, flags, device } = sampling;
  await using sampler = await Sampler.create(model, adapter);
  const { steps, guidanceScale, guidanceInterval, reuseFeatures, scheduler, negativePrompt, decoder, seed } = flags;
  const { globalPrompt, anomalyPrompt, backgroundEvery, backgroundNoise, backgroundScaled } = flags;
  const rule = keepRule(flags);
  const resolution = flags.resolution ?? sampler.adapter.resolution ?? model.defaults.resolution;
  const backgrounds = await backgroundsFor(sampler, sampling, resolution);
  await using layouts = await layoutsFor(sampler, sampling, resolution);
  const deciding = {
    ...{ steps, guidanceScale, scheduler, negativePrompt, resolution },
    ...given({ globalPrompt, anomalyPrompt }),
    ...(decoder === 'taesd' && { decoder }),
    ...(guidanceInterval.join() !== '0,1' && { guidanceInterval }),
    ...(reuseFeatures > 1 && { reuseFeatures }),
    ...(backgrounds && { backgroundEvery, backgroundNoise, ...given({ backgroundScaled }) }),
    ...given({ strength: flags.vary }),
  };
  const type = sampler.adapter.type ?? DEFAULT_TYPE;
  await using writer = await PairWriter.openLocked(sampling.lock ?? (await lockFolder(out)), {
    type,
    adapter: await fileDigest(adapter),
    settings: {
      ...deciding,
      ...{ mask: flags.mask.join() || 'none', dtype: model.info.dtype },
      ...(layouts && {
        varyResolution: layouts.resolution,
        ownShare: layouts.ownShare,
        smallOwnShare: layouts.smallOwnShare,
        ...(layouts.pasteShare > 0 && { pasteShare: layouts.pasteShare }),
        ...(layouts.smallPasteShare !== layouts.pasteShare && { smallPasteShare: layouts.smallPasteShare }),
        ...(layouts.thinPasteShare !== layouts.smallPasteShare && { thinPasteShare: layouts.thinPasteShare }),
        ...(layouts.pasteOnDefects && { pasteOnDefects: true }),
        ...(layouts.pasteTurns && { pasteTurns: true }),
        ...(layouts.lightSpread > 0 && { lightSpread: layouts.lightSpread }),
        ...(layouts.smallLightSpread !== layouts.lightSpread && { smallLightSpread: layouts.smallLightSpread }),
        ...(layouts.exposureSpread > 0 && { exposureSpread: layouts.exposureSpread }),
        ...(layouts.movedContrast !== 1 && { movedContrast: layouts.movedContrast }),
        layouts: sampling.examples?.map(({ name }) => name),
      }),
      ...(backgrounds && { backgrounds: backgrounds.map(({ label }) => basename(label)) }),
      seed,
    },
    resume: flags.resume ?? false,
  });
  const masker = await PairMasker.create(flags, sampler.adapter.partFill, device);
  const start = performance.now();
  const bar = io.progress(`sampling ${type}`, count, 'pairs');
  try {
    const batchSize = flags.sampleBatchSize;
    const attention = flags.mask.includes('attention');
    const { keepBackgroundFeatures } = flags;
    const drawing = { count, seed, batchSize, attention, keepBackgroundFeatures, skip: writer.done, signal };
    for await (const pair of sampler.sample({ ...deciding, ...given({ backgrounds, layouts }), ...drawing })) {
      await writer.write(pair, await masker?.find(pair, signal));
      bar.update(writer.records.length);
    }
  } finally {
    bar.stop();
    await masker?.dispose();
  }
  const emptyMasks = writer.records.filter((record) => record.empty).length;
  if (emptyMasks > 0)
    io.warn(`${emptyMasks} of ${writer.records.length} masks are empty: no defect was found in those parts`);
  if (rule) await writer.drop(selectPairs(writer.records, rule));
  const dropped = writer.records.length - writer.kept.length;
  return { writer, emptyMasks, dropped, seconds: (performance.now() - start) / 1000 };
}
