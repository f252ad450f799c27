/** Loads the images that detectors and classifiers learn from. */
import { DatasetError } from '../core/errors.js';
import { type Example, readExample } from '../dataset/example-file.js';
import { readImage } from '../dataset/image-file.js';
import { type ImageSource, labelOf } from '../dataset/image-source.js';
import { Pool, type Square } from '../pool.js';
import type { View } from './scored.js';
import { goodNameOf, inChunks, loadDefect, loadGoodImage } from './squares.js';
import { defectTiles, goodTiles } from './tiles.js';

/** The squares that networks learn from. */
export interface TrainingSet {
  good: Pool;
  defects: Pool;
  /** The number of generated pairs that were left out because their masks are empty. */
  emptyMasks: number;
}

const REAL_GROUP = 0;
const GENERATED_GROUP = 1;

/** A type has about this number of tiles around its real defects, and around its generated ones. */
const DEFECT_TILES = 384;
/** All good photographs together have about this number of tiles. */
const GOOD_TILES = 1024;
/** No photograph has more tiles than this, because they would repeat each other. */
const MAX_TILES = 32;

const tilesEach = (wanted: number, photographs: number) =>
  Math.min(MAX_TILES, Math.ceil(wanted / Math.max(1, photographs)));

/** The squares that one photograph contributes. */
interface Cut {
  defects: Square[];
  good: Square[];
}

/** Cuts tiles around the defects of a photograph, and a quarter as many elsewhere. */
async function cutTiles({ name, ...from }: Example, size: number, count: number): Promise<Cut> {
  const photograph = await readExample(from);
  return {
    defects: await defectTiles(photograph, size, { count, key: name }),
    good: await goodTiles(photograph, size, { count: Math.ceil(count / 4), key: name }),
  };
}

async function cutGoodTiles(source: ImageSource, size: number, count: number): Promise<Square[]> {
  const image = await readImage(source);
  const mask = { ...image, data: new Uint8Array(image.width * image.height), channels: 1 as const };
  return goodTiles({ image, mask }, size, { count, key: goodNameOf(source) });
}

/** Returns what loads a photograph of a set of `count` defects: as one square, or as tiles. */
function cutterOf({ resolution, tiles }: View, count: number): (example: Example) => Promise<Cut> {
  if (tiles) return (example) => cutTiles(example, resolution, tilesEach(DEFECT_TILES, count));
  return async (example) => ({ defects: [await loadDefect(example, resolution)], good: [] });
}

const isMarked = ({ mask }: Square) => mask.some((value) => value > 0);

/** Adds the real defects of a type. Tiles need a mask that marks something. */
async function addReal(examples: readonly Example[], type: number, into: TrainingSet, view: View) {
  const cut = cutterOf(view, examples.length);
  const load = async (example: Example) => {
    const loaded = await cut(example);
    if (loaded.defects.length > 0) return loaded;
    throw new DatasetError(`The mask ${labelOf(example.mask)} is empty: it marks no pixel`);
  };
  for await (const cuts of inChunks(examples, load)) {
    for (const { defects, good } of cuts) {
      into.defects.addDefects(defects, REAL_GROUP, type);
      into.good.addGood(good);
    }
  }
}

/** Adds the generated pairs of a type, except for those with an empty mask. */
async function addGenerated(examples: readonly Example[], type: number, into: TrainingSet, view: View) {
  for await (const cuts of inChunks(examples, cutterOf(view, examples.length))) {
    for (const { defects, good } of cuts) {
      const marked = defects.filter(isMarked);
      if (marked.length === 0) into.emptyMasks++;
      into.defects.addDefects(marked, GENERATED_GROUP, type);
      if (marked.length > 0) into.good.addGood(good);
    }
  }
}

async function addGood(photographs: readonly ImageSource[], { good }: TrainingSet, { resolution, tiles }: View) {
  const count = tilesEach(GOOD_TILES, photographs.length);
  const load = async (source: ImageSource): Promise<Square[]> =>
    tiles ? cutGoodTiles(source, resolution, count) : [await loadGoodImage(source, resolution)];
  for await (const squares of inChunks(photographs, load)) good.addGood(squares.flat());
}

/** The images of defects to learn from, by type. Both have the same types, or are undefined. */
export interface TrainingDefects {
  real: ReadonlyMap<string, readonly Example[]> | undefined;
  generated: ReadonlyMap<string, readonly Example[]> | undefined;
}

/** Loads training images. Throws ERR_DATASET_INVALID with the file that cannot be used. */
export async function loadTrainingSet(
  types: readonly string[],
  { real, generated }: TrainingDefects,
  trainingGood: readonly ImageSource[],
  view: View,
): Promise<TrainingSet> {
  const good = await Pool.create(view.resolution);
  const set: TrainingSet = { good, defects: await Pool.create(view.resolution), emptyMasks: 0 };
  try {
    await addGood(trainingGood, set, view);
    for (const [index, type] of types.entries()) {
      await addReal(real?.get(type) ?? [], index, set, view);
      await addGenerated(generated?.get(type) ?? [], index, set, view);
    }
    return set;
  } catch (error) {
    disposeOf(set);
    throw error;
  }
}

/** Frees the images of a training set. */
export function disposeOf({ good, defects }: TrainingSet): void {
  good.dispose();
  defects.dispose();
}
