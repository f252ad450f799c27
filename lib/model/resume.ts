/** Finds out where a training run begins: anew, at a checkpoint of an earlier run, or at its end. */
import { existsSync } from 'node:fs';
import { ModelError, TrainingError } from '../core/errors.js';
import { runNative } from '../run-native.js';
import { numberFrom } from './adapter-info.js';
import { renewed } from './adapter-lists.js';
import type { RunFiles } from './checkpoints.js';

/** Describes a run that is about to begin. */
interface NewRun {
  /** True to continue an earlier run. */
  resume: boolean;
  /** True if the trainer has done steps already, so that its own files are not in the way. */
  hasSteps: boolean;
  /** The number of steps of the whole run. */
  steps: number;
  /** Everything that decides the result, as metadata. */
  settings: Readonly<Record<string, string>>;
  /** The fingerprint that version 0.1.0 gave to the base. */
  legacyFingerprint: string;
}

/** What an earlier run has left. Both are undefined if the run begins anew. */
interface RunStart {
  /** The file of the checkpoint to continue from. */
  checkpoint?: string;
  /** The number of steps of a finished adapter, to which nothing is to be added. */
  finishedSteps?: number;
}

/**
 * Returns where a run begins. Throws ERR_CHECKPOINT_MISMATCH if the files of an earlier run are in the way or were made
 * with other settings, and ERR_WEIGHTS_INVALID if its adapter is damaged.
 */
export async function startOfRun(files: RunFiles, run: NewRun): Promise<RunStart> {
  const { resume, hasSteps, steps, settings, legacyFingerprint } = run;
  await files.removePartial();
  const [newest] = await files.checkpoints();
  if (newest && !resume) {
    throw new TrainingError(
      `An earlier run left the checkpoint ${newest.file}: resume it, or remove it to start afresh.`,
      'ERR_CHECKPOINT_MISMATCH',
    );
  }
  const hasAdapter = !newest && existsSync(files.out);
  if (hasAdapter && !resume && !hasSteps) {
    throw new TrainingError(
      `An earlier run wrote the adapter ${files.out}: resume it, or choose another file.`,
      'ERR_CHECKPOINT_MISMATCH',
    );
  }
  const source = newest?.file ?? (resume && hasAdapter ? files.out : undefined);
  if (source === undefined) return {};
  const saved = renewed(await runNative({}, (engine, task) => engine.readMetadata(source, task)));
  if (saved.base_fingerprint === legacyFingerprint) saved.base_fingerprint = settings.base_fingerprint as string;
  requireSameSettings(source, saved, settings);
  if (newest) return { checkpoint: newest.file };
  const done = numberFrom(saved.steps ?? '');
  if (!(Number.isInteger(done) && done > 0)) {
    throw new ModelError(
      `The metadata of ${source}: expected a number above 0 for steps but found ${saved.steps ?? 'nothing'}`,
      'ERR_WEIGHTS_INVALID',
    );
  }
  return done >= steps ? { finishedSteps: done } : {};
}

/** A finished adapter stores these names, too, which are no settings of its training. */
const NOT_SETTINGS = new Set([
  ...['format', 'format_version', 'lora_scale', 'saim_rank', 'latent_levels'],
  ...['steps', 'base', 'examples', 'example_types'],
]);

/**
 * Throws ERR_CHECKPOINT_MISMATCH with every setting that differs and both its values. A setting that only the file has
 * comes from another version of the package, so this version cannot continue the run. A note, whose name begins with
 * `_`, only counts if both have it.
 */
export function requireSameSettings(
  file: string,
  saved: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): void {
  const isNote = (name: string) => name.startsWith('_');
  const unknown = Object.keys(saved).filter((name) => !(name in wanted) && !NOT_SETTINGS.has(name) && !isNote(name));
  const differs = (name: string) => saved[name] !== wanted[name] && !(isNote(name) && saved[name] === undefined);
  const names = [...Object.keys(wanted).filter(differs), ...unknown];
  if (names.length === 0) return;
  const differences = names.map(
    (name) => `${name} was ${saved[name] ?? 'not set'}, is now ${wanted[name] ?? 'not known'}`,
  );
  throw new TrainingError(
    `${file} was made with other settings: ${differences.join('; ')}. Train with the old ones, or remove it to start afresh.`,
    'ERR_CHECKPOINT_MISMATCH',
  );
}
