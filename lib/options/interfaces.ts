/** Lists the option sets that become interfaces in the package's types, by the interfaces' names. */
import { augmentOptions } from './augment.js';
import { convertAdapterOptions, convertOptions, loadOptions, sourceOptions } from './base.js';
import { evaluatorOptions } from './evaluation.js';
import { campaignOptions, evaluateOptions, generateOptions, learnOptions, maskJobOptions } from './jobs.js';
import { attentionSchema, maskerSchema, maskOptions, thresholdSchema } from './masks.js';
import type { OptionSet } from './option.js';
import { batchSchema, sampleSchema } from './sampling.js';
import { foregroundOptions, trainerSchema, trainSchema } from './training.js';

export const interfaces = {
  LoadSettings: { doc: 'Settings of {@link DualAnoDiff.load}.', set: loadOptions },
  TrainerOptions: { doc: 'Options of {@link Trainer}.', set: trainerSchema.shape },
  TrainSettings: { doc: 'Settings of {@link Trainer.train}.', set: trainSchema.shape },
  SampleSettings: { doc: 'Settings of {@link Sampler.sample}.', set: sampleSchema.shape },
  BatchSettings: { doc: 'Settings of a batch that is denoised step by step.', set: batchSchema.shape },
  AugmentSettings: { doc: 'Settings of {@link augment}.', set: augmentOptions },
  MaskSettings: { doc: 'Settings of the masks of generated pairs.', set: maskOptions },
  MaskerOptions: { doc: 'Options of {@link Masker.load}.', set: maskerSchema.shape },
  ThresholdOptions: { doc: 'Options of {@link Masker.threshold}.', set: thresholdSchema.shape },
  AttentionOptions: { doc: 'Options of {@link Masker.attention}.', set: attentionSchema.shape },
  ForegroundOptions: { doc: 'Settings of the foregrounds of images.', set: foregroundOptions },
  ConvertAdapterSettings: { doc: 'Settings of {@link convertAdapter}.', set: convertAdapterOptions },
  ConvertCheckpointSettings: {
    doc: 'Settings of {@link convertCheckpoint}.',
    set: { ...sourceOptions, ...convertOptions },
  },
  EvaluatorOptions: { doc: 'Options of {@link Evaluator.open}.', set: evaluatorOptions },
  LearnJobOptions: { doc: 'Options of the job that trains an adapter: `dualanodiff train`.', set: learnOptions },
  GenerateJobOptions: {
    doc: 'Options of the job that samples from an adapter: `dualanodiff sample`.',
    set: generateOptions,
  },
  MaskJobOptions: { doc: 'Options of the job that makes masks: `dualanodiff mask`.', set: maskJobOptions },
  EvaluateJobOptions: { doc: 'Options of the job that evaluates pairs: `dualanodiff evaluate`.', set: evaluateOptions },
  CampaignJobOptions: {
    doc: 'Options of the job that trains, samples, masks and reports: `dualanodiff run`.',
    set: campaignOptions,
  },
} satisfies Record<string, { doc: string; set: OptionSet }>;
