/** A training run's files beside its adapter: `<out>.jsonl` and `<stem>.checkpoint-<step>.safetensors`. */
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { TrainingError } from '../core/errors.js';
import { namesIn, writeFileAtomic } from '../core/files.js';
import { appendJsonLine, jsonLines, readJsonLines } from '../core/json-files.js';
import { removePartialFiles } from '../core/partial-files.js';
import { lockFile, type WriteLock } from '../core/write-lock.js';

/** The newest checkpoints that are kept. */
const KEPT = 2;

/** One step's line. */
export interface LogEntry {
  step: number;
  loss: number;
  /** In float16: the steps so far whose gradients overflowed. */
  skippedSteps?: number;
}

const logEntrySchema = z.looseObject({ step: z.int('expected an integer'), loss: z.number('expected a number') });

export class RunFiles {
  readonly log: string;
  readonly #stem: string;

  constructor(readonly out: string) {
    this.log = `${out}.jsonl`;
    this.#stem = out.replace(/\.safetensors$/, '');
  }

  checkpoint(step: number): string {
    return `${this.#stem}.checkpoint-${String(step).padStart(6, '0')}.safetensors`;
  }

  /** The checkpoints that are there, newest first. */
  async checkpoints(): Promise<{ step: number; file: string }[]> {
    const folder = dirname(this.out);
    const names = await namesIn(folder);
    const prefix = `${basename(this.#stem)}.checkpoint-`;
    const found = names.flatMap((name) => {
      const step = /^(\d+)\.safetensors$/.exec(name.startsWith(prefix) ? name.slice(prefix.length) : '')?.[1];
      return step === undefined ? [] : [{ step: Number(step), file: join(folder, name) }];
    });
    return found.sort((a, b) => b.step - a.step);
  }

  async prune(keep = KEPT): Promise<void> {
    for (const { file } of (await this.checkpoints()).slice(keep)) await rm(file, { force: true });
  }

  /** Takes the adapter and what belongs to it. Throws ERR_BUSY where another process trains into it. */
  lock(): Promise<WriteLock> {
    return lockFile(this.out);
  }

  /** Removes checkpoints and what a killed process left half-written. */
  async removeCheckpoints(): Promise<void> {
    await this.prune(0);
    await this.removePartial();
  }

  /** Removes what a killed process left half-written of this run; a neighbour's files may begin with the same name. */
  async removePartial(): Promise<void> {
    const [adapter, stem] = [basename(this.out), basename(this.#stem)];
    await removePartialFiles(dirname(this.out), (name) => {
      const rest = name.startsWith(`${stem}.`) ? name.slice(stem.length) : '';
      return name === adapter || name === `${adapter}.jsonl` || /^\.(checkpoint|preview)-\d+\.\w+$/.test(rest);
    });
  }

  /** Starts the log again with the lines up to `step`: those after it belong to work that was lost. */
  async rewindLog(step: number): Promise<void> {
    const kept = step === 0 ? [] : (await this.readLog()).filter((entry) => entry.step <= step);
    await writeFileAtomic(this.log, jsonLines(kept));
  }

  /** The lines that are whole. Throws ERR_FILE_ACCESS naming one that is damaged, other than by a kill at the end. */
  async readLog(): Promise<LogEntry[]> {
    const { lines } = await readJsonLines(this.log, logEntrySchema);
    return lines.map(({ value }) => value);
  }

  async appendLog(entry: LogEntry): Promise<void> {
    await appendJsonLine(this.log, entry);
  }
}

/** What a finished adapter says beside the settings that it was trained with. */
const BESIDE = new Set(['format', 'format_version', 'lora_scale', 'saim_rank', 'latent_levels', 'steps', 'base']);

/**
 * Throws ERR_CHECKPOINT_MISMATCH naming every setting that differs, with both values; those that only the file has are
 * settings of another version of the package, whose run cannot go on with this one.
 */
export function requireSameSettings(file: string, saved: Record<string, string>, wanted: Record<string, string>): void {
  const unknown = Object.keys(saved).filter((name) => !(name in wanted) && !BESIDE.has(name) && !name.startsWith('_'));
  const names = [...Object.keys(wanted).filter((name) => saved[name] !== wanted[name]), ...unknown];
  if (names.length === 0) return;
  const differences = names.map(
    (name) => `${name} was ${saved[name] ?? 'not set'}, is now ${wanted[name] ?? 'not known'}`,
  );
  throw new TrainingError(
    `${file} was made with other settings: ${differences.join('; ')}. Train with the old ones, or remove it to start afresh.`,
    'ERR_CHECKPOINT_MISMATCH',
  );
}
