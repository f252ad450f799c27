/** Declares the context that every job takes beside its options, and the events that it emits. */
import type { DualAnoDiff } from '../model/dualanodiff.js';

/** Tells that a job has finished `done` of `total` units. */
export interface ProgressEvent {
  event: 'progress';
  stage: 'train' | 'sample' | 'mask' | 'evaluate' | 'fit' | 'detect' | 'import' | 'export' | 'check' | 'review';
  /** `done` and `total` count these. */
  unit: 'steps' | 'pairs' | 'parts' | 'images';
  done: number;
  total: number;
  /** An evaluation reports how many of `done` an earlier process did, if there are some. They say nothing of the speed. */
  doneBefore?: number;
  /** These are the defect type and category that the job works on, if there is only one. */
  type?: string;
  category?: string;
  /** This is the training loss of the last step. */
  loss?: number;
  /** An evaluation reports the row of its table, the detector, the seed and the network. */
  row?: string;
  seed?: number;
  /** With `shots`, an evaluation reports the number of real photographs of each type. */
  shots?: number;
  detector?: string;
  network?: 'detector' | 'classifier';
}

/** Tells the user something important that does not end the job. */
export interface WarningEvent {
  event: 'warning';
  message: string;
}

/** Tells the user what a job has decided, such as the size of the windows. */
export interface NoteEvent {
  event: 'note';
  message: string;
}

/** Tells that a pair was written. The paths are absolute in a process, and relative to the job's files in a service. */
export interface PairEvent {
  event: 'pair';
  index: number;
  type: string;
  image: string;
  part: string;
  /** It is absent if no mask was requested. */
  mask?: string;
}

export type JobEvent = ProgressEvent | PairEvent | WarningEvent | NoteEvent;

export interface JobContext {
  /** This signal ends the job within one step. Finished work is kept, and `resume` continues from it. */
  signal?: AbortSignal | undefined;
  onEvent?: ((event: JobEvent) => void) | undefined;
  /** Loads the base of the job, which disposes of it at its end. Without it, the job loads a base of its own. */
  load?: typeof DualAnoDiff.load | undefined;
}

export function warnOf(message: string, { onEvent }: JobContext): void {
  onEvent?.({ event: 'warning', message });
}
