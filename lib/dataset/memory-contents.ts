/** Reads a category whose images are given one by one: as paths, as bytes of files, or as pixels. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { InvalidOptionError } from '../core/errors.js';
import { checkOptions } from '../options/check.js';
import { isTypeName, typeName } from '../options/type-name.js';
import type { DatasetContents } from './contents.js';
import {
  EXPECTED_IMAGE,
  type ImageGroup,
  ImageInMemory,
  type ImageInput,
  type ImageSource,
  isImageInput,
} from './image-source.js';

/** An image of a defect with its mask. docs/images.md describes the supported masks. */
export interface ExampleInput {
  image: ImageInput;
  mask: ImageInput;
}

/** The input of `Dataset.from`. Data in memory is not copied, so it must not change. */
export interface DatasetInput {
  /** The images of each defect type by its name, which must be a valid name of a folder. */
  types: Readonly<Record<string, readonly ExampleInput[]>>;
  /** Images without a defect. Defects are placed on them, and an evaluation trains detectors on them. */
  good?: readonly ImageInput[] | undefined;
  /** These images have no defect either. Evaluations test on them, so they must not train. */
  testGood?: readonly ImageInput[] | undefined;
  /**
   * The name of the object in prompts, folders and reports. It must be a valid name of a folder. Defaults to `object`.
   */
  category?: string | undefined;
}

const EXPECTED_CATEGORY = "a name that a folder may have (no /, \\ or control character, no dot in front, not 'good')";

const image = () => z.custom<ImageInput>(isImageInput, EXPECTED_IMAGE);
const images = () => z.array(image(), 'a list of images').default([]);
const example = z.strictObject({ image: image(), mask: image() }, 'an object { image, mask }');
const datasetSchema = z.strictObject({
  types: z.record(
    z.string(),
    z.array(example, 'a list of { image, mask }').min(1, 'at least one { image, mask }'),
    'lists of { image, mask } by the names of defect types',
  ),
  good: images(),
  testGood: images(),
  category: z.string(EXPECTED_CATEGORY).refine(isTypeName, EXPECTED_CATEGORY).normalize('NFC').default('object'),
});

/** Maps the names of the types in NFC to the keys of the input. Throws ERR_INVALID_OPTION for an invalid name. */
function typeNames(types: object): Map<string, string> {
  const names = new Map<string, string>();
  for (const given of Object.keys(types)) {
    const { data: name, error } = typeName().safeParse(given);
    if (error) {
      throw new InvalidOptionError(
        `Expected ${error.issues[0]?.message} for each name in types but received ${JSON.stringify(given)}`,
      );
    }
    if (names.has(name)) throw new InvalidOptionError(`Expected ${name} once in types but received it twice`);
    names.set(name, given);
  }
  if (names.size === 0) throw new InvalidOptionError('Expected at least one defect type for types but received none');
  return new Map([...names].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Checks the input of `Dataset.from`. Throws ERR_INVALID_OPTION with the first value that is not an image. */
export function contentsOf(input: DatasetInput): DatasetContents {
  const { types, good, testGood, category } = checkOptions(datasetSchema, input);
  const names = typeNames(types);
  const label = `dataset ${category}`;
  const group: ImageGroup = { label, images: [] };
  const sourceOf = (content: ImageInput, place: string, stem: string, siblings?: ImageGroup): ImageSource => {
    if (typeof content === 'string') return resolve(content);
    const source = new ImageInMemory(place, stem, content, siblings);
    siblings?.images.push(source);
    return source;
  };
  const number = (index: number) => String(index).padStart(3, '0');
  const listOf = (list: readonly ImageInput[], name: string) =>
    list.map((content, i) => sourceOf(content, `${name}[${i}]`, `${name}_${number(i)}`, group));
  const examples = new Map(
    [...names].map(([type, given]) => {
      const list = types[given] as z.output<typeof example>[];
      const of = list.map(({ image, mask }, i) => ({
        name: number(i),
        image: sourceOf(image, `${type}[${i}].image`, `${type}_${number(i)}`, group),
        mask: sourceOf(mask, `${type}[${i}].mask`, `${type}_${number(i)}_mask`),
      }));
      return [type, of] as const;
    }),
  );
  const goodImages = { train: listOf(good, 'good'), test: listOf(testGood, 'testGood') };
  return {
    folder: undefined,
    label,
    category,
    types: [...examples.keys()],
    examples: async (type) => [...(examples.get(type) ?? [])],
    goodImages: async (purpose) => [...goodImages[purpose]],
    goodPlace: (purpose) => (purpose === 'train' ? 'good of Dataset.from' : 'testGood of Dataset.from'),
  };
}
