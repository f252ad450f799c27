/** Names the files of an export, which puts images of many folders into one. */

import type { DatasetImage } from '../dataset-images.js';
import { nameOf } from '../image-source.js';

/** Names stay below the limit of file systems, with room for a number and an ending. */
const MAX_BYTES = 200;

/** Replaces characters that file names on Windows cannot have. */
const portable = (text: string) => text.normalize('NFC').replace(/[<>:"/\\|?*\p{Cc}]/gu, '_');

/** Cuts a name at a whole character. */
function shortened(name: string): string {
  const characters = [...name];
  while (Buffer.byteLength(characters.join('')) > MAX_BYTES) characters.pop();
  return characters.join('');
}

/** Returns a name that tells where the image comes from, such as `crack_000`, `train_good_000` or `generated_crack_000000`. */
function wantedName({ origin, group, defects, image, record }: DatasetImage): string {
  const isDefect = origin === 'test' && defects.length > 0;
  const prefix = `${record ? 'generated_' : isDefect ? '' : `${origin}_`}${group}_`;
  const name = nameOf(image);
  // The name of an image that was exported before begins with the same words.
  return shortened(portable(name.startsWith(prefix) ? name : `${prefix}${name}`));
}

/**
 * Returns a name without ending for each image. Names that are equal, or differ only in upper and lower case, get a
 * number: `crack_000`, `crack_000-2`.
 */
export function fileNamesOf(images: readonly DatasetImage[]): string[] {
  const taken = new Set<string>();
  const counts = new Map<string, number>();
  return images.map((image) => {
    const wanted = wantedName(image);
    const key = wanted.toLowerCase();
    let count = counts.get(key) ?? 1;
    let name = count === 1 ? wanted : `${wanted}-${count}`;
    while (taken.has(name.toLowerCase())) name = `${wanted}-${++count}`;
    counts.set(key, count + 1);
    taken.add(name.toLowerCase());
    return name;
  });
}
