/** The names that tools give to the folders of a dataset. */

/** Images below a folder of one of these names are good. Anomalib calls those for tests `normal_test`. */
const GOOD_FOLDERS = ['good', 'ok', 'normal', 'normal_test'];

/** The parts of a dataset. `export --split` writes the last two. */
const PART_FOLDERS = [
  ...['train', 'training', 'val', 'valid', 'validation', 'test', 'testing'],
  ...['real', 'generated'],
];

export const isGoodFolder = (name: string): boolean => GOOD_FOLDERS.includes(name.toLowerCase());
export const isPartFolder = (name: string): boolean => PART_FOLDERS.includes(name.toLowerCase());
