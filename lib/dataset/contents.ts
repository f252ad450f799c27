import type { Example } from './example-file.js';
import type { FileRecord } from './file-records.js';
import type { ImageSource } from './image-source.js';

/** Images for training, or images that an evaluation tests on. */
export type Purpose = 'train' | 'test';

/** The source of a dataset: the files of a folder, or images that were given one by one. */
export interface DatasetContents {
  /** Undefined if the images were given one by one. */
  readonly folder: string | undefined;
  /** The name of the dataset in messages. */
  readonly label: string;
  readonly category: string;
  /** The defect types in NFC, sorted by name. */
  readonly types: readonly string[];
  /** Returns every image of one of `types`. */
  examples(type: string): Promise<Example[]>;
  goodImages(purpose: Purpose): Promise<ImageSource[]>;
  /** Returns what the data says about an image that was generated, and undefined for a photograph. */
  recordOf?(image: ImageSource): FileRecord | undefined;
  /** Returns the place where good images belong, for messages. */
  goodPlace(purpose: Purpose): string;
}
