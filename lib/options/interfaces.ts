/** Lists the option sets that become interfaces in the package's types, by the interfaces' names. */
import { augmentOptions } from './augment.js';
import { convertAdapterOptions, convertOptions, loadOptions, sourceOptions } from './base.js';
import { checkDataOptions } from './check-data.js';
import { detectOptions, detectorOptions, fitOptions } from './detect.js';
import { evaluatorOptions } from './evaluation.js';
import { exportOptions } from './export.js';
import {
  campaignOptions,
  evaluateOptions,
  generateOptions,
  importOptions,
  learnOptions,
  maskJobOptions,
  placeJobOptions,
} from './jobs.js';
import { attentionSchema, maskerSchema, maskOptions, thresholdSchema } from './masks.js';
import type { OptionSet } from './option.js';
import { placeOptions } from './place.js';
import { batchSchema, sampleSchema } from './sampling.js';
import { foregroundOptions, trainerSchema, trainSchema } from './training.js';

export const interfaces = {
  LoadSettings: { doc: 'Holds the settings of `DualAnoDiff.load`.', set: loadOptions },
  TrainerOptions: { doc: 'Holds the options of `Trainer`.', set: trainerSchema.shape },
  TrainSettings: { doc: 'Holds the settings of `Trainer.train`.', set: trainSchema.shape },
  SampleSettings: { doc: 'Holds the settings of `Sampler.sample`.', set: sampleSchema.shape },
  BatchSettings: { doc: 'Holds the settings of a batch that is denoised step by step.', set: batchSchema.shape },
  PlaceSettings: { doc: 'Holds the settings of `Placer.place`.', set: placeOptions },
  AugmentSettings: { doc: 'Holds the settings of `augment`.', set: augmentOptions },
  MaskSettings: { doc: 'Holds the settings of the masks of generated pairs.', set: maskOptions },
  MaskerOptions: { doc: 'Holds the options of `Masker.load`.', set: maskerSchema.shape },
  ThresholdOptions: { doc: 'Holds the options of `Masker.threshold`.', set: thresholdSchema.shape },
  AttentionOptions: { doc: 'Holds the options of `Masker.attention`.', set: attentionSchema.shape },
  ForegroundOptions: { doc: 'Holds the settings of the foregrounds of images.', set: foregroundOptions },
  ConvertAdapterSettings: { doc: 'Holds the settings of `convertAdapter`.', set: convertAdapterOptions },
  ConvertCheckpointSettings: {
    doc: 'Holds the settings of `convertCheckpoint`.',
    set: { ...sourceOptions, ...convertOptions },
  },
  EvaluatorOptions: { doc: 'Holds the options of `Evaluator.open`.', set: evaluatorOptions },
  DetectorSettings: { doc: 'Holds the settings of `Detector.fit`.', set: detectorOptions },
  LearnJobOptions: {
    doc: 'Holds the options of the job that trains an adapter: `dualanodiff train`.',
    set: learnOptions,
  },
  GenerateJobOptions: {
    doc: 'Holds the options of the job that samples from an adapter: `dualanodiff sample`.',
    set: generateOptions,
  },
  PlaceJobOptions: {
    doc: 'Holds the options of the job that places defects in photographs: `dualanodiff place`.',
    set: placeJobOptions,
  },
  MaskJobOptions: { doc: 'Holds the options of the job that makes masks: `dualanodiff mask`.', set: maskJobOptions },
  EvaluateJobOptions: {
    doc: 'Holds the options of the job that evaluates pairs: `dualanodiff evaluate`.',
    set: evaluateOptions,
  },
  FitJobOptions: { doc: 'Holds the options of the job that fits a detector: `dualanodiff fit`.', set: fitOptions },
  DetectJobOptions: {
    doc: 'Holds the options of the job that scores images with a detector: `dualanodiff detect`.',
    set: detectOptions,
  },
  CampaignJobOptions: {
    doc: 'Holds the options of the job that trains, samples, masks and reports: `dualanodiff run`.',
    set: campaignOptions,
  },
  ImportJobOptions: {
    doc: 'Holds the options of the job that turns annotated photographs into a category folder: `dualanodiff import`.',
    set: importOptions,
  },
  CheckJobOptions: {
    doc: 'Holds the options of the job that looks at data: `dualanodiff check`.',
    set: checkDataOptions,
  },
  ExportJobOptions: {
    doc: 'Holds the options of the job that writes other formats: `dualanodiff export`.',
    set: exportOptions,
  },
} satisfies Record<string, { doc: string; set: OptionSet }>;
