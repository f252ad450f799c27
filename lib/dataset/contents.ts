import type { Example } from './example-file.js';
import type { ImageSource } from './image-source.js';

/** Images either train, or an evaluation tests on them. */
export type Purpose = 'train' | 'test';

/** A dataset reads its images through this interface, from a folder or from memory. */
export interface DatasetContents {
  /** The value is undefined where the images were given one by one. */
  readonly folder: string | undefined;
  /** Messages call the dataset so. */
  readonly label: string;
  readonly category: string;
  /** The names are in NFC and sorted. */
  readonly types: readonly string[];
  /** Lists every image of a type, which must be one of `types`. */
  examples(type: string): Promise<Example[]>;
  goodImages(purpose: Purpose): Promise<ImageSource[]>;
  /** Messages say so where good images belong. */
  goodPlace(purpose: Purpose): string;
}
