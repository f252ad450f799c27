/** Scores maps that another program has made, as a row of the table without training. */
import { join } from 'node:path';
import { DatasetError, InvalidOptionError } from '../core/errors.js';
import type { Dataset, Example } from '../dataset/dataset.js';
import { readImage } from '../dataset/image-file.js';
import type { ImageSource } from '../dataset/image-source.js';
import { resizeScores } from '../detect/resize-scores.js';
import { getEngine } from '../native.js';
import { callNative, type NativeTaskOptions } from '../run-native.js';
import type { EvaluationRun } from './evaluation.js';
import { readMap } from './map-file.js';
import { idOf, type MapsFolder, type NamedImage, namedDefect, namedGood, openMaps } from './maps-folder.js';
import type { Protocol } from './protocol.js';
import { scoreRun } from './scores.js';
import { GOOD, type Split } from './split.js';
import { MAPS } from './table.js';
import { defectToTest, goodToTest, type TestImage } from './test-images.js';
import { MapRecorder } from './tested-images.js';

/** A row of maps: one folder for all seeds, or one for each seed. */
export interface MapsRow {
  name: string;
  folders: MapsFolder[];
}

/** A tested image with its names in a folder of maps. */
interface Tested {
  source: ImageSource;
  named: NamedImage;
  test: TestImage;
}

/** What the rows of maps share. */
export interface MapsInput {
  split: Split;
  protocol: Protocol;
  /** The evaluation's folder. The maps are written to its subfolder `maps`, at the size at which they are scored. */
  folder: string;
  /** The seed of the first folder. */
  seed: number;
  shots: number | undefined;
}

function testedOf({ testing, testingGood, groups }: Split, protocol: Protocol): Tested[] {
  const partOf = (source: ImageSource) => groups.get(source) as number;
  const defects = [...testing].flatMap(([type, examples]) =>
    examples.map((example) => ({
      source: example.image,
      named: namedDefect(type, example),
      test: defectToTest(example, protocol, partOf(example.image)),
    })),
  );
  const good = testingGood.map((source) => ({
    ...{ source, named: namedGood(source), test: goodToTest(source, protocol, partOf(source)) },
  }));
  return [...defects, ...good];
}

/** Returns all images of a dataset, because other programs map those as well that are not tested here. */
async function allOf(dataset: Dataset): Promise<NamedImage[]> {
  const defects: [string, Example[]][] = [];
  for (const type of dataset.types) defects.push([type, await dataset.examples(type)]);
  const good = [...(await dataset.goodImages('test')), ...(await dataset.goodImages('train'))];
  return [...defects.flatMap(([type, list]) => list.map((one) => namedDefect(type, one))), ...good.map(namedGood)];
}

/**
 * Finds the maps of all rows. Throws ERR_INVALID_OPTION for a name that another row has, or if there are several folders
 * that are not one for each seed, and ERR_DATASET_INVALID if maps are missing or belong to no image.
 */
export async function openMapsRows(
  maps: Readonly<Record<string, string | string[]>>,
  rows: readonly string[],
  { split, seeds, tests, protocol }: { split: Split; seeds: number; tests: Dataset; protocol: Protocol },
): Promise<MapsRow[]> {
  const opened: MapsRow[] = [];
  if (Object.keys(maps).length === 0) return opened;
  const tested = testedOf(split, protocol).map(({ named }) => named);
  const all = await allOf(tests);
  for (const [name, chosen] of Object.entries(maps)) {
    const folders = typeof chosen === 'string' ? [chosen] : chosen;
    if (rows.includes(name)) throw new InvalidOptionError(`Expected another name for the maps ${name}: a row has it`);
    if (folders.length !== 1 && folders.length !== seeds) {
      throw new InvalidOptionError(
        `Expected one folder of the maps ${name}, or ${seeds}, one for each seed, but received ${folders.length}`,
      );
    }
    const found: MapsFolder[] = [];
    for (const folder of folders) found.push(await openMaps(folder, tested, all));
    opened.push({ name, folders: found });
  }
  return opened;
}

/** Reads a map and fits it to the size at which the image is scored. */
async function fittedMap({ source, test }: Tested, path: string, { resolution, tiles }: Protocol) {
  const map = await readMap(path);
  const { mask } = await test.load();
  const { width, height } = await readImage(source);
  const hasSize = (size: { width: number; height: number }) => map.width === size.width && map.height === size.height;
  if (!hasSize({ width, height }) && !hasSize(mask)) {
    const other = tiles ? '' : `, or ${resolution} x ${resolution}`;
    throw new DatasetError(
      `${path} is ${map.width} x ${map.height} pixels: expected the size of its photograph, ${width} x ${height}${other}`,
    );
  }
  return { map: resizeScores(map, mask), mask };
}

async function scoreFolder(
  name: string,
  { files, scores }: MapsFolder,
  seed: number,
  { split, protocol, folder, shots }: MapsInput,
  options: NativeTaskOptions,
): Promise<EvaluationRun> {
  const engine = await getEngine();
  const scorer = callNative(() => engine.createMapScorer());
  const pictures = join('maps', `${name}-${MAPS}-seed${seed}`);
  const recorder = new MapRecorder(folder, pictures, scorer, { givesProbabilities: false }, options);
  const types = [...split.testing.keys()];
  try {
    await recorder.clean(types);
    for (const one of testedOf(split, protocol)) {
      const { map, mask } = await fittedMap(one, files.get(idOf(one.named)) as string, protocol);
      const scored = { map: map.data, score: scores?.get(idOf(one.named)) };
      const { set } = one.named;
      if (set === GOOD) await recorder.addGood(one.test, { mask }, scored);
      else await recorder.addDefect(set, one.test, { mask }, scored);
    }
    const { images, good } = recorder;
    const detector = await scoreRun(scorer, types, options);
    const withAccuracy = <T extends object>(all: T) => ({ ...all, accuracy: null });
    return {
      ...{ row: name, detector: MAPS, seed, ...(shots !== undefined && { shots }) },
      ...{ defects: 0, emptyMasks: 0, seconds: 0, images, good },
      types: Object.fromEntries(Object.entries(detector.types).map(([type, all]) => [type, withAccuracy(all)])),
      average: withAccuracy(detector.average),
      together: withAccuracy(detector.together),
      ...(detector.intervals && { intervals: detector.intervals }),
    };
  } finally {
    scorer.dispose();
  }
}

/**
 * Scores the maps of all rows. Throws ERR_DATASET_INVALID with a map that cannot be read, has another size than its
 * photograph, or has a score that is not finite.
 */
export async function scoreMaps(
  rows: readonly MapsRow[],
  input: MapsInput,
  options: NativeTaskOptions,
): Promise<EvaluationRun[]> {
  const runs: EvaluationRun[] = [];
  for (const { name, folders } of rows) {
    for (const [index, folder] of folders.entries()) {
      runs.push(await scoreFolder(name, folder, input.seed + index, input, options));
    }
  }
  return runs;
}
