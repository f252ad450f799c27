import type { Example } from './example-file.js';
import type { ImageSource } from './image-source.js';

/** What trains, or what an evaluation tests on. */
export type Purpose = 'train' | 'test';

/** What a dataset is made of: a folder's files, or images in memory. */
export interface DatasetContents {
  /** Undefined where the images are not one folder's. */
  readonly folder: string | undefined;
  /** What messages call the dataset. */
  readonly label: string;
  readonly category: string;
  /** In NFC, sorted by name. */
  readonly types: readonly string[];
  /** Every image of one of `types`. */
  examples(type: string): Promise<Example[]>;
  goodImages(purpose: Purpose): Promise<ImageSource[]>;
  /** Where good images belong, for messages. */
  goodPlace(purpose: Purpose): string;
}
