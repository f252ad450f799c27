/** Does one run of an evaluation, and keeps the result of each of its networks. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../core/files.js';
import { readJson } from '../core/json-files.js';
import { pathInside } from '../core/path-inside.js';
import { removeCheckpoint } from '../detect/fit.js';
import type { LearnerProtocol } from '../detect/kinds.js';
import type { TrainingSet } from '../detect/training-set.js';
import { BestRound, nameInTables, ROUNDS } from './best-round.js';
import { type Accuracy, classify } from './classification.js';
import { type Detection, detect, type Training } from './detection.js';
import type { EvaluationProgress, EvaluationRun } from './evaluation.js';
import type { EvaluationData } from './evaluation-data.js';
import { type LearnerInput, sourceOf } from './learner-options.js';
import type { PlannedRun } from './planned-runs.js';
import type { Protocol } from './protocol.js';
import { GOOD_ONLY } from './rows.js';
import type { DetectorScores, Scores } from './scores.js';
import { thresholdImages } from './thresholds.js';

export type Network = EvaluationProgress['network'];

/** The subfolder of an evaluation's folder that holds the networks' results and checkpoints. */
export const RUNS = 'runs';

const resultSchema = z.looseObject({ seconds: z.number('expected a number') });

/** The content of the file that keeps a detector's result. Results of an earlier version lack the good images. */
type DetectorResult = Omit<Detection, 'good'> & Partial<Pick<Detection, 'good'>>;

/** The input of one run. */
export interface RunInput extends PlannedRun {
  set: TrainingSet;
  data: EvaluationData;
  folder: string;
  protocol: Protocol;
  settings: {
    classifierWeights?: string | undefined;
    bestEpoch: boolean;
    device: string;
    checkpointEvery: number;
  };
  /** `earlier` is the number of the network's steps that an earlier process made. It is told once. */
  onStep: (network: Network, step: number, told: { loss?: number | undefined; earlier?: number }) => void;
  /** The number of runs that are done at once. */
  concurrency: number;
  signal: AbortSignal | undefined;
  torchThread: number;
}

/** Returns the networks that a run trains. */
export const networksOf = ({ classifies }: PlannedRun): Network[] =>
  classifies ? ['detector', 'classifier'] : ['detector'];

/** Returns the number of a network's training steps, by which progress is counted. */
export const iterationsOf = (network: Network, { detector }: PlannedRun, protocol: Protocol): number =>
  (network === 'detector' ? (protocol.detectors[detector.name] as LearnerProtocol) : protocol.classifier).iterations;

/** Returns a digest of everything that affects a network's result. */
export function digestOf(network: Network, { row, detector, seed, set, data, protocol, settings }: RunInput): string {
  const { classifier, tiles, detectors, ...shared } = protocol;
  const { resolution, flips } = shared;
  const backbone = data.backbones.get(detector.name);
  const view = { resolution, flips, ...(tiles && { tiles }) };
  // Digests of the U-Net on stretched squares stay those of earlier versions, which had no tiles and no other detector.
  const ofDetector =
    detector.name === 'unet'
      ? { ...shared, ...(tiles && { tiles }), ...(settings.bestEpoch && { bestOf: ROUNDS }) }
      : {
          ...{ ...view, detector: detector.name, ...detectors[detector.name] },
          ...(backbone && { backbone: backbone.name, weights: backbone.digest }),
        };
  const own = network === 'detector' ? ofDetector : { ...classifier, ...view, weights: data.backboneDigest };
  const source = network === 'detector' ? sourceOf(row, detector) : row.source;
  const textures = source === 'draem' ? data.textures : undefined;
  const pools = [set.good, set.defects, textures].map((pool) => pool?.digest);
  // Digests of the U-Net stay those of earlier versions, which did not hash the parts, if no test images share one.
  const scored = network === 'detector' ? { parts: data.testParts } : {};
  const chosenOn = row === GOOD_ONLY ? { heldBack: data.heldBackDigest } : {};
  const inputs = { network, own, source, seed, pools, tests: data.testDigest, ...scored, ...chosenOn };
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 8);
}

/** Returns a readable and unique name for the result of a network. */
function runName({ row, detector, shots, seed }: RunInput, network: Network, digest: string): string {
  const images = shots === undefined ? '' : `-shots${shots}`;
  // The results of the U-Net keep the names that they had before there were other detectors.
  const trained = network === 'detector' && detector.name !== 'unet' ? detector.name : network;
  return `${row.name.replace(' ', '-')}${images}-${trained}-seed${seed}-${digest}`;
}

/** Reads the result of a network that an earlier process has written. Otherwise computes and writes it. */
async function loadOrCompute<T>(
  input: RunInput,
  network: Network,
  compute: (training: Training, name: string) => Promise<T>,
): Promise<T & { seconds: number }> {
  const { folder, onStep, signal, torchThread, protocol, settings } = input;
  const digest = digestOf(network, input);
  const name = runName(input, network, digest);
  const iterations = iterationsOf(network, input, protocol);
  const file = pathInside(folder, RUNS, name);
  if (existsSync(`${file}.json`)) {
    onStep(network, iterations, { earlier: iterations });
    return (await readJson(`${file}.json`, resultSchema)) as unknown as T & { seconds: number };
  }
  const start = performance.now();
  const checkpoint = `${file}.checkpoint.safetensors`;
  let isFirst = true;
  const training: Training = {
    checkpoint: { file: checkpoint, every: settings.checkpointEvery, digest },
    ...{ signal, torchThread },
    onStep: (step, steps, loss) => {
      const counted = (fitted: number) => Math.round((iterations * fitted) / steps);
      const earlier = isFirst ? counted(step - 1) : 0; // An interrupted training continues from its checkpoint.
      isFirst = false;
      onStep(network, counted(step), { loss: Number.isNaN(loss) ? undefined : loss, earlier });
    },
  };
  const result = await compute(training, name);
  const timed = { seconds: (performance.now() - start) / 1000, ...result };
  await writeFileAtomic(`${file}.json`, `${JSON.stringify(timed, undefined, 2)}\n`);
  await removeCheckpoint(checkpoint);
  await BestRound.remove(checkpoint);
  return timed;
}

const withAccuracy = (scores: DetectorScores, accuracy: number | undefined): Scores => ({
  ...scores,
  accuracy: accuracy ?? null,
});

/** Trains and tests the networks of a run. */
export async function doRun(input: RunInput): Promise<EvaluationRun> {
  const { row, seed, shots, set, data, folder, protocol, settings, concurrency } = input;
  const { device, classifierWeights: weights, bestEpoch } = settings;
  const common: LearnerInput = { row, detector: input.detector, protocol, training: set, data, seed, device };
  const heldBack = row === GOOD_ONLY ? data.heldBack : [];
  const images = thresholdImages(input, data.split.trainingGood, heldBack, protocol);
  const detector = await loadOrCompute<DetectorResult>(input, 'detector', (training, name) =>
    detect({ ...common, folder, maps: join('maps', name), thresholdImages: images, bestEpoch, concurrency }, training),
  );
  const classifier = input.classifies
    ? await loadOrCompute<Accuracy>(input, 'classifier', (training) => classify({ ...common, weights }, training))
    : undefined;
  const types = Object.entries(detector.types).map(([type, scores]) => [
    type,
    withAccuracy(scores, classifier?.types[type]),
  ]);
  return {
    ...{
      row: row.name,
      detector: nameInTables(input.detector.name, bestEpoch, protocol.iterations),
      seed,
      ...(shots !== undefined && { shots }),
    },
    defects: set.defects.size,
    emptyMasks: set.emptyMasks,
    seconds: detector.seconds + (classifier?.seconds ?? 0),
    types: Object.fromEntries(types),
    average: withAccuracy(detector.average, classifier?.average),
    together: withAccuracy(detector.together, classifier?.together),
    ...(detector.intervals && { intervals: detector.intervals }),
    ...(detector.thresholds && { thresholds: detector.thresholds }),
    ...(detector.cost && { cost: detector.cost }),
    images: detector.images,
    good: detector.good ?? [],
  };
}
