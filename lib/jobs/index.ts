/**
 * Runs the jobs of the command line as functions. Each takes options that can be written as JSON and returns a result.
 * Events report its progress, and a signal ends it.
 * @module dualanodiff/jobs
 */

export type { Losses } from '../dataset/lost-defects.js';
export type { Problem } from '../dataset/survey.js';
export type {
  CampaignJobOptions,
  CheckJobOptions,
  DetectJobOptions,
  EvaluateJobOptions,
  ExportJobOptions,
  FitJobOptions,
  GenerateJobOptions,
  ImportJobOptions,
  LearnJobOptions,
  MaskJobOptions,
  PlaceJobOptions,
} from '../options/generated.js';
export { type CampaignResult, campaign } from './campaign.js';
export { type CategoryCheck, type CheckResult, check } from './check.js';
export type { TypeCheck } from './check-type.js';
export { type DetectResult, detect } from './detect.js';
export type { Estimate } from './estimates.js';
export { type EvaluateResult, evaluate } from './evaluate.js';
export { type ExportResult, exportDataset } from './export.js';
export type { CampaignFailure } from './failure.js';
export { type FitResult, fit } from './fit.js';
export { type GenerateResult, generate } from './generate.js';
export { type ImportResult, importData } from './import.js';
export type { JobContext, JobEvent, NoteEvent, PairEvent, ProgressEvent, WarningEvent } from './job.js';
export { type LearnResult, learn } from './learn.js';
export { type MaskResult, mask } from './mask.js';
export { type PlaceResult, place } from './place.js';
export type { Advice } from './recipe-advice.js';
export type { TypeResult } from './run-type.js';
export type { CampaignType } from './summary.js';
