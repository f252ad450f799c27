/**
 * Keeps the round of a fit that is best on the test images, as the code of the published evaluation does. Such scores are
 * too good, because the test images choose the network.
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { NativeDetector } from '../addon-types.js';
import type { Checkpoint } from '../detect/fit.js';
import type { Scored } from '../detect/scored.js';
import type { Photograph } from '../detect/tiles.js';
import { getEngine } from '../native.js';
import { callNative, type NativeTaskOptions, runNative } from '../run-native.js';
import type { EvaluationData } from './evaluation-data.js';
import { mean } from './scores.js';
import { GOOD } from './split.js';
import { addToScorer } from './thresholds.js';

/** A fit has about this many rounds, as in the published evaluation. A fit of fewer steps has a round for each step. */
export const ROUNDS = 200;

const stepsPerRound = (steps: number) => Math.max(1, Math.floor(steps / ROUNDS));

/** Returns what the name of a detector says in every table where the best round of a fit of `steps` is reported. */
export const bestRoundLabel = (steps: number): string =>
  `best of ${Math.ceil(steps / stepsPerRound(steps))} rounds on the test images`;

/** Returns the name of a detector that is fitted in `steps` in results and tables. */
export const nameInTables = (name: string, bestEpoch: boolean, steps: number): string =>
  bestEpoch ? `${name} (${bestRoundLabel(steps)})` : name;

/** Scores all test images and returns the mean over the types of the pixel average precision. */
export async function averagePixelAp(
  { testDefects, testGood }: EvaluationData,
  score: (photograph: Photograph) => Promise<Scored>,
  options: NativeTaskOptions,
): Promise<number> {
  const engine = await getEngine();
  const scorer = callNative(() => engine.createMapScorer());
  try {
    for (const [type, images] of [...testDefects, [GOOD, testGood] as const]) {
      for (const image of images) await addToScorer(scorer, type, image, score, options);
    }
    const values: number[] = [];
    for (const type of testDefects.keys()) {
      values.push((await runNative(options, (_, task) => scorer.score([type, GOOD], task))).pixelAp);
    }
    return mean(values.map((value) => (Number.isNaN(value) ? 0 : value)));
  } finally {
    scorer.dispose();
  }
}

/** Measures a detector after each round, and returns to the best one at the end. */
export class BestRound {
  readonly #file: string;
  #best = Number.NEGATIVE_INFINITY;

  constructor(
    readonly detector: NativeDetector,
    /** The number of steps of the whole fit. */
    readonly steps: number,
    /** The checkpoint of the fit. The best round is kept beside it. */
    readonly checkpoint: Checkpoint,
    /** Scores the test images. Higher is better. */
    readonly measure: () => Promise<number>,
    readonly options: NativeTaskOptions,
  ) {
    this.#file = checkpoint.file.replace(/\.checkpoint\.safetensors$/, '.best.checkpoint.safetensors');
  }

  /** Reads the best value of an earlier process. */
  async open(): Promise<void> {
    if (!existsSync(this.#file)) return;
    const { torchThread = 0 } = this.options;
    const saved = await runNative({ torchThread }, (engine, task) => engine.readMetadata(this.#file, task));
    if (saved.digest === this.checkpoint.digest) this.#best = Number(saved.best);
  }

  /** Measures the detector if a round ends with this step, and keeps it if it is better than all before. */
  async afterStep(step: number): Promise<void> {
    if (step % stepsPerRound(this.steps) !== 0 && step !== this.steps) return;
    const value = await this.measure();
    if (value <= this.#best) return;
    const metadata = { digest: this.checkpoint.digest, best: String(value) };
    await runNative(this.options, (_, task) => this.detector.saveCheckpoint(this.#file, metadata, task));
    this.#best = value;
  }

  /** Returns to the best round. */
  async restore(): Promise<void> {
    await runNative(this.options, (_, task) => this.detector.loadCheckpoint(this.#file, task));
  }

  /** Removes the file of the best round after its result is written. */
  static async remove(checkpoint: string): Promise<void> {
    await rm(checkpoint.replace(/\.checkpoint\.safetensors$/, '.best.checkpoint.safetensors'), { force: true });
  }
}
