/** A training run's files beside its adapter: `<out>.jsonl` and `<stem>.checkpoint-<step>.safetensors`. */
import { appendFile, readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { TrainingError, withFileErrors } from './errors.js';
import { writeFileAtomic } from './files.js';

/** The newest checkpoints that are kept. */
const KEPT = 2;

/** One step's line. */
export interface LogEntry {
  step: number;
  loss: number;
  /** In float16: the steps so far whose gradients overflowed. */
  skippedSteps?: number;
}

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
    const names = await readdir(folder).catch(() => [] as string[]);
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

  /** Removes checkpoints and what a killed process left half-written. */
  async removeCheckpoints(): Promise<void> {
    await this.prune(0);
    const folder = dirname(this.out);
    const prefix = `${basename(this.#stem)}.`;
    for (const name of await readdir(folder)) {
      if (name.startsWith(prefix) && /\.partial-\d+$/.test(name)) await rm(join(folder, name), { force: true });
    }
  }

  /** Starts the log again with the lines up to `step`: those after it belong to work that was lost. */
  async rewindLog(step: number): Promise<void> {
    const kept = step === 0 ? [] : (await this.readLog()).filter((entry) => entry.step <= step);
    await writeFileAtomic(this.log, kept.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  }

  /** The lines that are whole. */
  async readLog(): Promise<LogEntry[]> {
    const lines = (await readFile(this.log, 'utf8').catch(() => '')).split('\n');
    return lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as LogEntry];
      } catch {
        return []; // empty, or torn by a kill
      }
    });
  }

  async appendLog(entry: object): Promise<void> {
    await withFileErrors('write', this.log, () => appendFile(this.log, `${JSON.stringify(entry)}\n`));
  }
}

/** Throws ERR_CHECKPOINT_MISMATCH naming every setting that differs, with both values. */
export function requireSameSettings(file: string, saved: Record<string, string>, wanted: Record<string, string>): void {
  const names = Object.keys(wanted).filter((name) => saved[name] !== wanted[name]);
  if (names.length === 0) return;
  const differences = names.map((name) => `${name} was ${saved[name] ?? 'not set'}, is now ${wanted[name]}`);
  throw new TrainingError(
    `${file} was made with other settings: ${differences.join('; ')}. Train with the old ones, or remove it to start afresh.`,
    'ERR_CHECKPOINT_MISMATCH',
  );
}
