/**
 * Plans the runs of an evaluation: each row with each of its detectors, each seed and, with shots, each number of real
 * photographs.
 */
import type { Example } from '../dataset/example-file.js';
import type { DetectorKind } from '../detect/kinds.js';
import { type GeneratedSet, knowsNoDefects, learnsFrom, type Row } from './rows.js';
import { drawShots } from './shots.js';
import type { Split } from './split.js';

/** A run that is to be done. */
export interface PlannedRun {
  row: Row;
  detector: DetectorKind;
  /** True if the run trains the classifier, too. Its result depends on the row, not on the detector. */
  classifies: boolean;
  seed: number;
  /** The number of real photographs of each type. It is undefined if all training images are used. */
  shots: number | undefined;
  /** The real photographs of each type that the run may know. */
  training: ReadonlyMap<string, Example[]>;
  /** The generated pairs of the run. */
  generated: GeneratedSet | undefined;
  /** Runs with the same key learn from the same images. */
  key: string;
}

/** Returns the real photographs that a run with this seed may know. */
export function trainingOf(split: Split, seed: number, shots: number | undefined): Split['training'] {
  return shots === undefined ? split.training : drawShots(split.training, split.groups, shots, seed);
}

/** The choices that decide the runs. */
export interface RunSettings {
  detectors: readonly DetectorKind[];
  classifier: boolean;
  shots?: readonly number[] | undefined;
  seeds: number;
  seed: number;
}

/** Returns all runs. A row that learns from good images alone has runs for the first number of shots only. */
export function planRuns(rows: readonly Row[], split: Split, options: RunSettings): PlannedRun[] {
  const { seeds, seed: firstSeed } = options;
  const shots: readonly (number | undefined)[] = options.shots ?? [undefined];
  const canClassify = options.classifier && split.training.size > 1; // One type alone is always the right one.
  const runs: PlannedRun[] = [];
  for (const [block, count] of shots.entries()) {
    for (const row of rows) {
      if (block > 0 && knowsNoDefects(row)) continue;
      const { generated = [] } = row;
      const detectors = options.detectors.filter((kind) => learnsFrom(kind, row));
      for (const [position, detector] of detectors.entries()) {
        // Only the first detector's runs train the row's classifier. Made-up defects have no types to classify.
        const classifies = canClassify && position === 0 && (row.source === 'pairs' || row.source === 'crop-paste');
        for (let index = 0; index < seeds; index++) {
          const seed = firstSeed + index;
          const set = generated.length <= 1 ? 0 : block * seeds + index;
          const images = count === undefined ? '' : `${count} ${seed}`;
          runs.push({
            ...{ row, detector, classifies, seed, shots: count },
            ...{ training: trainingOf(split, seed, count), generated: generated[set] },
            key: `${row.name} ${set} ${images}`,
          });
        }
      }
    }
  }
  return runs;
}
