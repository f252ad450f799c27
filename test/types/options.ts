// Compiled, never run: each interface in lib/options/generated.ts is what its schema accepts.
import type { z } from 'zod';
import type { augmentSchema } from '../../lib/options/augment.js';
import type { convertAdapterSchema, convertCheckpointSchema, loadSchema } from '../../lib/options/base.js';
import type { checkDataSchema } from '../../lib/options/check-data.js';
import type * as detect from '../../lib/options/detect.js';
import type { evaluatorSchema } from '../../lib/options/evaluation.js';
import type { exportSchema } from '../../lib/options/export.js';
import type * as generated from '../../lib/options/generated.js';
import type { interfaces } from '../../lib/options/interfaces.js';
import type * as jobs from '../../lib/options/jobs.js';
import type * as masks from '../../lib/options/masks.js';
import type { placeSchema } from '../../lib/options/place.js';
import type { batchSchema, sampleSchema } from '../../lib/options/sampling.js';
import type { foregroundOptions, trainerSchema, trainSchema } from '../../lib/options/training.js';

/** The schemas by their interfaces' names. */
interface Schemas {
  LoadSettings: typeof loadSchema;
  TrainerOptions: typeof trainerSchema;
  TrainSettings: typeof trainSchema;
  SampleSettings: typeof sampleSchema;
  BatchSettings: typeof batchSchema;
  AugmentSettings: typeof augmentSchema;
  PlaceSettings: typeof placeSchema;
  MaskSettings: typeof masks.maskSettingsSchema;
  MaskerOptions: typeof masks.maskerSchema;
  ThresholdOptions: typeof masks.thresholdSchema;
  AttentionOptions: typeof masks.attentionSchema;
  ForegroundOptions: z.ZodObject<typeof foregroundOptions>;
  ConvertAdapterSettings: typeof convertAdapterSchema;
  ConvertCheckpointSettings: typeof convertCheckpointSchema;
  EvaluatorOptions: typeof evaluatorSchema;
  DetectorSettings: typeof detect.detectorSchema;
  FitJobOptions: typeof detect.fitSchema;
  DetectJobOptions: typeof detect.detectSchema;
  LearnJobOptions: typeof jobs.learnSchema;
  GenerateJobOptions: typeof jobs.generateSchema;
  PlaceJobOptions: typeof jobs.placeJobSchema;
  MaskJobOptions: typeof jobs.maskSchema;
  EvaluateJobOptions: typeof jobs.evaluateSchema;
  CampaignJobOptions: typeof jobs.campaignSchema;
  ImportJobOptions: typeof jobs.importSchema;
  CheckJobOptions: typeof checkDataSchema;
  ExportJobOptions: typeof exportSchema;
}
interface Interfaces {
  LoadSettings: generated.LoadSettings;
  TrainerOptions: generated.TrainerOptions;
  TrainSettings: generated.TrainSettings;
  SampleSettings: generated.SampleSettings;
  BatchSettings: generated.BatchSettings;
  AugmentSettings: generated.AugmentSettings;
  PlaceSettings: generated.PlaceSettings;
  MaskSettings: generated.MaskSettings;
  MaskerOptions: generated.MaskerOptions;
  ThresholdOptions: generated.ThresholdOptions;
  AttentionOptions: generated.AttentionOptions;
  ForegroundOptions: generated.ForegroundOptions;
  ConvertAdapterSettings: generated.ConvertAdapterSettings;
  ConvertCheckpointSettings: generated.ConvertCheckpointSettings;
  EvaluatorOptions: generated.EvaluatorOptions;
  DetectorSettings: generated.DetectorSettings;
  FitJobOptions: generated.FitJobOptions;
  DetectJobOptions: generated.DetectJobOptions;
  LearnJobOptions: generated.LearnJobOptions;
  GenerateJobOptions: generated.GenerateJobOptions;
  PlaceJobOptions: generated.PlaceJobOptions;
  MaskJobOptions: generated.MaskJobOptions;
  EvaluateJobOptions: generated.EvaluateJobOptions;
  CampaignJobOptions: generated.CampaignJobOptions;
  ImportJobOptions: generated.ImportJobOptions;
  CheckJobOptions: generated.CheckJobOptions;
  ExportJobOptions: generated.ExportJobOptions;
}

/** Optional entries without the `undefined` that schemas allow beside leaving them out, at every depth. */
type Plain<T> = T extends readonly (infer E)[]
  ? number extends T['length']
    ? Plain<E>[]
    : { [K in keyof T]: Plain<T[K]> }
  : T extends object
    ? { [K in keyof T]: Plain<Exclude<T[K], undefined>> }
    : T;
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** The names of interfaces that are not what their schemas accept. */
type Different<I> = {
  [Name in keyof I & keyof Schemas]: Equal<Plain<I[Name]>, Plain<z.input<Schemas[Name]>>> extends true ? never : Name;
}[keyof I & keyof Schemas];

const same = <A, B>(_: Equal<A, B>) => {};
same<Different<Interfaces>, never>(true);
// Every interface that is generated is compared, and a difference is noticed.
same<Different<{ TrainSettings: generated.TrainerOptions }>, 'TrainSettings'>(true);
same<Different<{ TrainSettings: Omit<generated.TrainSettings, 'out'> }>, 'TrainSettings'>(true);
same<Different<{ TrainSettings: generated.TrainSettings & { steps: number } }>, 'TrainSettings'>(true);
same<keyof Schemas, keyof typeof interfaces>(true);
