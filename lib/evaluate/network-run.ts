/** Does one run of an evaluation, and keeps the result of each of its networks. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../core/files.js';
import { readJson } from '../core/json-files.js';
import { pathInside } from '../core/path-inside.js';
import { type Accuracy, classify } from './classification.js';
import { type Detection, detect } from './detection.js';
import type { EvaluationProgress, EvaluationRun } from './evaluation.js';
import type { EvaluationData } from './evaluation-data.js';
import { removeCheckpoint, type TrainLearnerOptions } from './learner.js';
import type { PlannedRun } from './planned-runs.js';
import type { Protocol } from './protocol.js';
import type { Row } from './rows.js';
import type { DetectorScores, Scores } from './scores.js';
import type { TrainingSet } from './training-set.js';

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
    classifier: boolean;
    classifierWeights?: string | undefined;
    device: string;
    checkpointEvery: number;
  };
  onStep: (network: Network, step: number, loss?: number) => void;
  signal: AbortSignal | undefined;
  torchThread: number;
}

/** Returns the networks that a row trains for each seed. Synthetic defects of `draem` have no types to classify. */
export function networksOf(row: Row, { classifier }: { classifier: boolean }): Network[] {
  return classifier && row.source !== 'draem' ? ['detector', 'classifier'] : ['detector'];
}

export const iterationsOf = (network: Network, protocol: Protocol): number =>
  network === 'detector' ? protocol.iterations : protocol.classifier.iterations;

/** Returns a digest of everything that affects a network's result. */
function digestOf(network: Network, { row, seed, set, data, protocol }: RunInput): string {
  const { classifier, tiles, ...shared } = protocol;
  // Digests of stretched squares stay those of earlier versions, which had no tiles.
  const detector = { ...shared, ...(tiles && { tiles }) };
  const { resolution, flips } = shared;
  const view = { resolution, flips, ...(tiles && { tiles }) };
  const own = network === 'detector' ? detector : { ...classifier, ...view, weights: data.backboneDigest };
  const textures = row.source === 'draem' ? data.textures : undefined;
  const pools = [set.good, set.defects, textures].map((pool) => pool?.digest);
  const inputs = { network, own, source: row.source, seed, pools, tests: data.testDigest };
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 8);
}

/** Returns a readable and unique name for the result of a network. */
function runName({ row, shots, seed }: RunInput, network: Network, digest: string): string {
  const images = shots === undefined ? '' : `-shots${shots}`;
  return `${row.name}${images}-${network}-seed${seed}-${digest}`;
}

type Training = Omit<TrainLearnerOptions, 'iterations'>;

/** Reads the result of a network that an earlier process has written. Otherwise computes and writes it. */
async function loadOrCompute<T>(
  input: RunInput,
  network: Network,
  compute: (training: Training, name: string) => Promise<T>,
): Promise<T & { seconds: number }> {
  const { folder, onStep, signal, torchThread, protocol, settings } = input;
  const digest = digestOf(network, input);
  const name = runName(input, network, digest);
  const file = pathInside(folder, RUNS, name);
  if (existsSync(`${file}.json`)) {
    onStep(network, iterationsOf(network, protocol));
    return (await readJson(`${file}.json`, resultSchema)) as unknown as T & { seconds: number };
  }
  const start = performance.now();
  const checkpoint = `${file}.checkpoint.safetensors`;
  const training: Training = {
    ...{ checkpoint, checkpointEvery: settings.checkpointEvery, digest, signal, torchThread },
    onStep: (step, loss) => onStep(network, step, loss),
  };
  const result = await compute(training, name);
  const timed = { seconds: (performance.now() - start) / 1000, ...result };
  await writeFileAtomic(`${file}.json`, `${JSON.stringify(timed, undefined, 2)}\n`);
  await removeCheckpoint(checkpoint);
  return timed;
}

const withAccuracy = (scores: DetectorScores, accuracy: number | undefined): Scores => ({
  ...scores,
  accuracy: accuracy ?? null,
});

/** Trains and tests the networks of a run. */
export async function doRun(input: RunInput): Promise<EvaluationRun> {
  const { row, seed, shots, set, data, folder, protocol, settings } = input;
  const { device, classifierWeights: weights } = settings;
  const common = { row, protocol, training: set, data, seed, device };
  const detector = await loadOrCompute<DetectorResult>(input, 'detector', (training, name) =>
    detect({ ...common, folder, maps: join('maps', name) }, training),
  );
  const classifier = networksOf(row, settings).includes('classifier')
    ? await loadOrCompute<Accuracy>(input, 'classifier', (training) => classify({ ...common, weights }, training))
    : undefined;
  const types = Object.entries(detector.types).map(([type, scores]) => [
    type,
    withAccuracy(scores, classifier?.types[type]),
  ]);
  return {
    ...{ row: row.name, seed, ...(shots !== undefined && { shots }) },
    defects: set.defects.size,
    emptyMasks: set.emptyMasks,
    seconds: detector.seconds + (classifier?.seconds ?? 0),
    types: Object.fromEntries(types),
    average: withAccuracy(detector.average, classifier?.average),
    together: withAccuracy(detector.together, classifier?.together),
    images: detector.images,
    good: detector.good ?? [],
  };
}
