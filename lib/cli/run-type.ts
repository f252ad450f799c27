import { join } from 'node:path';
import { pathInside } from '../core/path-inside.js';
import { meanAgreement } from '../dataset/agreement.js';
import type { Dataset } from '../dataset/dataset.js';
import type { DualAnoDiff } from '../model/dualanodiff.js';
import { given } from '../options/check.js';
import type { schedulers } from '../options/schemas.js';
import { writeReport } from '../report/report.js';
import type { MaskFlags } from './masks.js';
import type { Context } from './runner.js';
import { checkGoodImages, type SampleFlags, samplePairs, type TrainFlags, trainType } from './stages.js';

/** Flags of `run` and `demo`. */
export interface RunFlags extends TrainFlags, MaskFlags {
  count: number;
  sampleSteps: number;
  guidanceScale: number;
  guidanceInterval: [number, number];
  reuseFeatures: number;
  scheduler: (typeof schedulers)[number];
  sampleBatchSize: number;
  negativePrompt: string;
  decoder: 'vae' | 'taesd';
  backgroundImages?: string;
  backgroundEvery: number;
  backgroundNoise: 'fixed' | 'fresh';
  keepBackgroundFeatures: 'no' | 'device' | 'host';
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
  /** Undefined: as large as the model's pictures. */
  varyResolution?: number;
  /** Undefined: as trained. */
  sampleResolution?: number;
  device: string;
}

/** What `run` does unless its user says otherwise, for commands that have no flags of their own for it. */
export const DEFAULT_RUN_FLAGS: Omit<RunFlags, 'count'> = {
  gradientAccumulation: 1,
  rank: 32,
  warmupSteps: 0,
  seed: 0,
  trainImages: '1/3',
  fit: 'crop',
  partFill: 'grey',
  branches: 'joint',
  flips: true,
  background: 'off',
  backgroundScaled: true,
  backgroundEvery: 50,
  backgroundNoise: 'fixed',
  keepBackgroundFeatures: 'no',
  textEncoder: true,
  checkpointEvery: 500,
  previewEvery: 0,
  mask: ['u2net'],
  sampleSteps: 50,
  guidanceScale: 2.5,
  guidanceInterval: [0, 1],
  reuseFeatures: 1,
  scheduler: 'pndm',
  sampleBatchSize: 4,
  negativePrompt: '',
  decoder: 'vae',
  device: 'auto',
};

export interface RunSummary {
  type: string;
  report: string;
  dataset: string;
  adapter: string;
  pairs: number;
  emptyMasks: number;
  /** Where masks were made in several ways: the mean IoU of every two, over the pairs. */
  agreement: Record<string, number>;
  /** Pairs that `--keep-best` dropped. */
  dropped: number;
  /** Means over the first and the last tenth of the steps. */
  firstLoss: number | null;
  lastLoss: number | null;
  trainSeconds: number;
  sampleSeconds: number;
}

const mean = (values: number[]) => (values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length);

/** The main job on one type: train, sample, mask, report; everything below `<out>/<type>`. */
export async function runType(
  model: DualAnoDiff,
  dataset: Dataset,
  type: string,
  out: string,
  flags: RunFlags,
  { signal, io }: Context,
): Promise<RunSummary> {
  const folder = pathInside(out, type);
  const adapter = join(folder, 'adapter.safetensors');
  await checkGoodImages(dataset, { ...flags, steps: flags.sampleSteps });
  const trained = await trainType(model, dataset, type, adapter, flags, signal, io);
  await using trainer = trained.trainer;
  // Prompts and the scale of background latents are the adapter's own: they were trained a moment ago.
  const { globalPrompt: _, anomalyPrompt: __, backgroundScaled: ___, ...rest } = flags;
  const sampled = given({ resolution: flags.sampleResolution ?? flags.resolution });
  const sampleFlags: SampleFlags & MaskFlags = { ...rest, ...sampled, steps: flags.sampleSteps };
  const { count, device } = flags;
  const goodImages = await dataset.goodImages();
  const examples = await dataset.trainingExamples(type, flags.trainImages);
  const sampling = { adapter, out: join(folder, 'dataset'), count, flags: sampleFlags, device, goodImages, examples };
  const generated = await samplePairs(model, sampling, signal, io);
  const report = join(folder, 'report.html');
  const { learningRate, batchSize, resolution, rank, partFill, trainImages, globalPrompt, anomalyPrompt } =
    trainer.settings;
  await writeReport(report, {
    title: `${dataset.category}: ${type}`,
    examples: trainer.examples,
    losses: trained.losses,
    writer: generated.writer,
    settings: {
      'base model': model.folder,
      device: model.info.device,
      precision: model.info.dtype,
      'training steps': flags.steps ?? model.defaults.steps,
      'batch size': batchSize,
      'learning rate': learningRate,
      rank,
      prompts: `${globalPrompt} / ${anomalyPrompt}`,
      resolution,
      'part fill': partFill,
      'training images': trainImages,
      seed: flags.seed,
      'denoising steps': flags.sampleSteps,
      guidance: flags.guidanceScale,
      ...(flags.guidanceInterval.join() === '0,1' ? {} : { 'guidance interval': flags.guidanceInterval.join(' to ') }),
      ...(flags.reuseFeatures === 1
        ? {}
        : { 'features reused': `${flags.reuseFeatures - 1} of ${flags.reuseFeatures} calls` }),
      scheduler: flags.scheduler,
      ...(flags.vary === undefined ? {} : { 'variations of real pairs': `strength ${flags.vary}` }),
      mask: flags.mask.join() || 'none',
      ...(flags.keepBest === undefined ? {} : { 'keep best': flags.keepBest }),
    },
    times: { training: trained.seconds, 'sampling and masks': generated.seconds },
  });
  const losses = trained.losses.map(({ loss }) => loss);
  const tenth = Math.max(1, Math.floor(losses.length / 10));
  return {
    type,
    report,
    adapter,
    dataset: generated.writer.folder,
    pairs: generated.writer.kept.length,
    emptyMasks: generated.emptyMasks,
    agreement: meanAgreement(generated.writer.records),
    dropped: generated.dropped,
    firstLoss: mean(losses.slice(0, tenth)),
    lastLoss: mean(losses.slice(-tenth)),
    trainSeconds: trained.seconds,
    sampleSeconds: generated.seconds,
  };
}

/** One summary for people. */
export function describeRun(summary: RunSummary): string {
  const agreement = Object.entries(summary.agreement).map(([methods, iou]) => `, IoU ${methods} ${iou.toFixed(2)}`);
  const loss = (value: number | null) => value?.toFixed(4) ?? '-';
  return [
    `${summary.type}: loss ${loss(summary.firstLoss)} -> ${loss(summary.lastLoss)} in ${summary.trainSeconds.toFixed(0)} s; ` +
      `${summary.pairs} pairs in ${summary.sampleSeconds.toFixed(0)} s, ${summary.emptyMasks} empty masks${agreement.join('')}, ${summary.dropped} dropped`,
    `  dataset: ${summary.dataset}`,
    `  report:  ${summary.report}`,
  ].join('\n');
}
