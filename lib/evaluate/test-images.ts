/** The images that networks are tested on. They are decoded when they are needed. */
import type { NativeClassifier } from '../addon-types.js';
import type { PixelData, RawImage } from '../core/image.js';
import { type Example, readExample } from '../dataset/example-file.js';
import { readImage } from '../dataset/image-file.js';
import type { ImageSource } from '../dataset/image-source.js';
import { CHUNK, type View } from '../detect/scored.js';
import { goodNameOf, loadGoodImage, squareOfDefect } from '../detect/squares.js';
import { coveringTiles, defectTiles, type Photograph, tileOf } from '../detect/tiles.js';
import type { Square } from '../pool.js';
import { type NativeTaskOptions, runNative } from '../run-native.js';

/** A decoded test image, at its own size for tiles, or stretched to a square. */
export interface TestPhotograph extends Photograph {
  /** The mask of a defect at the photograph's own size. Good images have none. */
  ownMask?: PixelData;
}

/** An image to test on. */
export interface TestImage {
  name: string;
  /** The number of the part that it shows. Images of one part have the same number. */
  part: number;
  load(): Promise<TestPhotograph>;
}

const squareOf = ({ pixels, mask }: Square, size: number): Photograph => ({
  image: { data: pixels, width: size, height: size, channels: 3 },
  mask: { data: mask, width: size, height: size, channels: 1 },
});

/** Returns the test image of a defect. */
export function defectToTest(example: Example, { resolution, tiles }: View, part: number): TestImage {
  return {
    ...{ name: example.name, part },
    load: async () => {
      const { image, mask } = await readExample(example);
      const shown = tiles ? { image, mask } : squareOf(await squareOfDefect(image, mask, resolution), resolution);
      return { ...shown, ownMask: mask };
    },
  };
}

/** Returns the test image of a good photograph. Its mask is empty. */
export function goodToTest(source: ImageSource, { resolution, tiles }: View, part: number): TestImage {
  const whole = (image: RawImage): Photograph => ({
    image,
    mask: { data: new Uint8Array(image.width * image.height), width: image.width, height: image.height, channels: 1 },
  });
  return {
    ...{ name: goodNameOf(source), part },
    load: async () =>
      tiles ? whole(await readImage(source)) : squareOf(await loadGoodImage(source, resolution), resolution),
  };
}

/** Returns the classifier's probabilities for squares, one after the other. */
async function predict(
  classifier: NativeClassifier,
  squares: readonly Uint8Array[],
  size: number,
  options: NativeTaskOptions,
): Promise<Float32Array[]> {
  const shape = { count: squares.length, width: size, height: size };
  const { data } = await runNative(options, (_, task) => classifier.predict(Buffer.concat(squares), shape, task));
  const length = data.length / squares.length;
  return squares.map((_, i) => data.subarray(i * length, (i + 1) * length));
}

/** A defect is classified by this number of tiles around it. */
const CLASSIFIED_TILES = 4;

/**
 * Returns the classifier's probabilities of the types for an image. For tiles, they are the mean over some tiles around
 * the defect, or over all tiles of an image whose mask is empty.
 */
export async function typeProbabilities(
  classifier: NativeClassifier,
  { name, load }: TestImage,
  { resolution: size, tiles }: View,
  options: NativeTaskOptions,
): Promise<Float32Array> {
  const photograph = await load();
  const squares = tiles ? await classifiedTiles(photograph, size, name) : [photograph.image.data];
  const probabilities: Float32Array[] = [];
  for (let from = 0; from < squares.length; from += CHUNK) {
    probabilities.push(...(await predict(classifier, squares.slice(from, from + CHUNK), size, options)));
  }
  return (probabilities[0] as Float32Array).map(
    (_, type) => probabilities.reduce((sum, one) => sum + (one[type] as number), 0) / probabilities.length,
  );
}

async function classifiedTiles(photograph: Photograph, size: number, key: string): Promise<Uint8Array[]> {
  const around = await defectTiles(photograph, size, { count: CLASSIFIED_TILES, key });
  if (around.length > 0) return around.map(({ pixels }) => pixels);
  const all: Uint8Array[] = [];
  for (const place of coveringTiles(photograph.image, size))
    all.push((await tileOf(photograph.image, place, size)).data);
  return all;
}
