/** What every job takes beside its options, and what it tells while it works. */

/** A job is at `done` of `total`. */
export interface ProgressEvent {
  event: 'progress';
  stage: 'train' | 'sample' | 'mask' | 'evaluate';
  /** What is counted. */
  unit: 'steps' | 'pairs' | 'parts';
  done: number;
  total: number;
  /** Defect type and category, where the job works on one. */
  type?: string;
  category?: string;
  /** Training loss of the last step. */
  loss?: number;
  /** Row, seed and network of an evaluation. */
  row?: string;
  seed?: number;
  network?: 'detector' | 'classifier';
}

/** Something that the user should know and that does not end the job. */
export interface WarningEvent {
  event: 'warning';
  message: string;
}

export type JobEvent = ProgressEvent | WarningEvent;

export interface JobContext {
  /** Ends the job within one step. What was done stays, and `resume` continues from there. */
  signal?: AbortSignal | undefined;
  onEvent?: ((event: JobEvent) => void) | undefined;
}

export function warnOf(message: string, { onEvent }: JobContext): void {
  onEvent?.({ event: 'warning', message });
}
