import { dirname, resolve } from 'node:path';
import type { NativeDetector } from '../addon-types.js';
import { DualAnoDiffError, withFileErrors } from '../core/errors.js';
import { createFolder } from '../core/files.js';
import type { PixelData } from '../core/image.js';
import type { Dataset } from '../dataset/dataset.js';
import { readImage, resizeImage } from '../dataset/image-file.js';
import type { ImageInput, ImageSource } from '../dataset/image-source.js';
import { checkOptions, checkValue, integer } from '../options/check.js';
import { detectorSchema } from '../options/detect.js';
import type { DetectorSettings } from '../options/generated.js';
import type { DetectorName } from '../options/names.js';
import { runNative, type TaskOptions } from '../run-native.js';
import {
  type DetectorInfo,
  detectorInfo,
  detectorMetadata,
  type Thresholds,
  thresholdsSchema,
} from './detector-info.js';
import { removeCheckpoint } from './fit.js';
import { type DetectorData, dataOf, fitDetector } from './fit-detector.js';
import { resizeScores, type ScoreMap } from './resize-scores.js';
import { scoreImage } from './scored.js';

/** The progress of a fit. */
export interface FitProgress {
  /** The finished steps, such as updates on a batch. */
  step: number;
  /** All steps of the fit. */
  steps: number;
  /** It is undefined for a step that has none. */
  loss: number | undefined;
}

export interface FitOptions extends DetectorSettings, TaskOptions {
  /** Receives every step. If it throws, the fit ends with that error. */
  onProgress?: (progress: FitProgress) => void;
  /**
   * The path of a file that keeps a fit until its detector is saved. If the file exists, the fit continues from it.
   * `save` removes it.
   */
  checkpoint?: string;
  /** The checkpoint is written every n steps, 500 by default, at the end, and when the fit is aborted. */
  checkpointEvery?: number;
}

/** The scores of an image. */
export interface DetectedImage {
  /** The score of each pixel of the image, at the image's size. */
  map: ScoreMap;
  /** The score of the image. Higher is more anomalous, in the detector's own range. */
  score: number;
}

/**
 * Finds defects in images. A detector is fitted on good images, and some learn from defects, too.
 *
 * @example
 * await using detector = await Detector.fit('unet', await Dataset.open('bottle'));
 * const { map, score } = await detector.score('photograph.png');
 * await detector.save('bottle.safetensors');
 */
export class Detector {
  readonly info: DetectorInfo;
  #handle: NativeDetector | undefined;
  #checkpoint: string | undefined;

  private constructor(info: DetectorInfo, handle: NativeDetector, checkpoint?: string) {
    this.info = info;
    this.#handle = handle;
    this.#checkpoint = checkpoint;
  }

  /**
   * Fits a detector on the good images of a dataset and on all of its defects, or on images that the caller has chosen.
   * The same seed gives the same detector.
   *
   * Throws ERR_DATASET_INVALID if good images or defects that it needs are missing, ERR_INVALID_OPTION, and
   * ERR_ABORTED.
   */
  static async fit(
    name: DetectorName,
    data: Dataset | DetectorData,
    { signal, onProgress, checkpoint, checkpointEvery = 500, ...settings }: FitOptions = {},
  ): Promise<Detector> {
    const checked = checkOptions(detectorSchema, settings);
    checkValue('checkpointEvery', integer(1), checkpointEvery);
    const file = checkpoint === undefined ? undefined : resolve(checkpoint);
    const chosen = 'goodImages' in data ? await dataOf(data) : data;
    const { handle, view, backbone } = await fitDetector(name, chosen, checked, {
      ...(file !== undefined && { checkpoint: { file, every: checkpointEvery } }),
      signal,
      onStep: (step, steps, loss) => onProgress?.({ step, steps, loss: Number.isNaN(loss) ? undefined : loss }),
    });
    const metadata = detectorMetadata(view, undefined);
    return new Detector({ name, backbone, ...view, thresholds: undefined, metadata }, handle, file);
  }

  /**
   * Reads a detector that `save` has written. It can score images, and cannot be fitted further.
   *
   * Throws ERR_WEIGHTS_INVALID with the file and the reason, and ERR_FILE_ACCESS. Code in the file is never executed.
   */
  static async load(file: string, { device = 'auto', signal }: { device?: string } & TaskOptions = {}) {
    const path = resolve(file);
    const metadata = await runNative({ signal }, (engine, task) => engine.readMetadata(path, task));
    const info = detectorInfo(path, metadata);
    const handle = await runNative({ signal }, (engine, task) => engine.loadDetector(path, device, task));
    return new Detector(info, handle);
  }

  /**
   * Scores an image of any size. The image is stretched to the detector's square, or is scored in overlapping tiles, as
   * the detector was fitted. Throws ERR_DATASET_INVALID for an image that cannot be read, and ERR_NON_FINITE.
   */
  async score(image: ImageInput | ImageSource, { signal }: TaskOptions = {}): Promise<DetectedImage> {
    const whole = await readImage(image);
    const { width, height } = whole;
    const { resolution, tiles } = this.info;
    const seen = tiles ? whole : await resizeImage(whole, resolution, resolution);
    const { map: data, score } = await this.scoreSeen(seen, { signal });
    return { map: resizeScores({ data, width: seen.width, height: seen.height }, { width, height }), score };
  }

  /**
   * Scores an image of the size that the detector sees: any size in tiles, or else the square of its resolution.
   * @internal
   */
  async scoreSeen(image: PixelData, { signal }: TaskOptions = {}): Promise<{ map: Float32Array; score: number }> {
    const { map: data, score } = await scoreImage(this.#open(), image, this.info, { signal });
    const map = { data, shape: [image.height, image.width] };
    return {
      map: data,
      score: score ?? (await runNative({ signal }, (engine, task) => engine.imageScore(map, task))),
    };
  }

  /**
   * Writes the detector to a file, whole or not at all. `thresholds` are stored for those who load it. The
   * checkpoint of its fit is then removed. Throws ERR_INVALID_OPTION for thresholds that are not finite, and
   * ERR_FILE_ACCESS.
   */
  async save(file: string, { thresholds = this.info.thresholds }: { thresholds?: Thresholds | undefined } = {}) {
    const handle = this.#open();
    const path = resolve(file);
    checkValue('thresholds', thresholdsSchema.optional(), thresholds);
    await withFileErrors('write', path, () => createFolder(dirname(path)));
    await runNative({}, (_, task) => handle.save(path, detectorMetadata(this.info, thresholds), task));
    if (this.#checkpoint !== undefined) await removeCheckpoint(this.#checkpoint);
    this.#checkpoint = undefined;
  }

  #open(): NativeDetector {
    if (!this.#handle) throw new DualAnoDiffError('The detector is disposed', 'ERR_DISPOSED');
    return this.#handle;
  }

  /** Frees the detector. A second call has no effect. */
  async dispose(): Promise<void> {
    this.#handle?.dispose();
    this.#handle = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
