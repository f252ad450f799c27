/** Makes the thumbnails of a report, which are small files in a folder beside it. */
import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withFileErrors } from '../core/errors.js';
import { namesIn, writeFileAtomic } from '../core/files.js';
import type { PixelData } from '../core/image.js';
import { removePartialFiles } from '../core/partial-files.js';
import type { Size } from '../dataset/cut.js';
import { contentOf, ImageInMemory, type ImageSource } from '../dataset/image-source.js';
import { encodeThumbnail, pictureSize } from '../dataset/thumbnail-file.js';

const FOLDER = 'thumbnails';
const NAME = /^[0-9a-f]{16}\.webp$/;

/** A small picture on a page. */
export interface Thumbnail extends Size {
  /** The address of the thumbnail, relative to the page. */
  src: string;
  /** The address of the file that the thumbnail shows. An image in memory has none. */
  href?: string;
}

/** Returns the address of a file, relative to a folder. Each name is escaped. */
export function hrefFrom(folder: string, file: string): string {
  const path = relative(folder, file);
  if (isAbsolute(path)) return pathToFileURL(file).href; // It is on another drive of Windows.
  return path.split(sep).map(encodeURIComponent).join('/');
}

async function digestOf(source: ImageSource | PixelData): Promise<Buffer> {
  const hash = createHash('sha256');
  if (typeof source === 'string') {
    return hash.update(await withFileErrors('read', source, () => readFile(source))).digest();
  }
  const content = source instanceof ImageInMemory ? await contentOf(source) : source;
  if (content instanceof Uint8Array) return hash.update(content).digest();
  const { data, width, height, channels } = content;
  return hash
    .update(JSON.stringify([width, height, channels]))
    .update(data)
    .digest();
}

/**
 * The thumbnails of one report. Each is named by what it shows, so that it is made once, even if several reports follow
 * each other, and is made again if an image changes.
 */
export class Thumbnails {
  /** The thumbnails of the report by their names. */
  readonly #sizes = new Map<string, Promise<Size>>();
  /** The digests of files, which several thumbnails may show. */
  readonly #digests = new Map<string, Promise<Buffer>>();
  #earlier: Promise<ReadonlySet<string>> | undefined;

  /** `folder` is the folder of the report. */
  constructor(readonly folder: string) {}

  /**
   * Returns the thumbnail of `sources`, and makes it if it does not exist. `draw` returns its pixels. `kind` stands for
   * all that decides the pixels beside the sources. The thumbnail links to the first source if that is a file.
   */
  async add(
    kind: string,
    sources: readonly [ImageSource | PixelData, ...(ImageSource | PixelData)[]],
    draw: () => Promise<PixelData>,
  ): Promise<Thumbnail> {
    const hash = createHash('sha256').update(kind);
    for (const source of sources) hash.update(await this.#digestOf(source));
    const name = `${hash.digest('hex').slice(0, 16)}.webp`;
    const size = this.#sizes.get(name) ?? this.#sizeOf(name, draw);
    this.#sizes.set(name, size);
    const [first] = sources;
    const href = typeof first === 'string' ? { href: hrefFrom(this.folder, first) } : {};
    return { src: `${FOLDER}/${name}`, ...(await size), ...href };
  }

  /** Tells what a file holds, so that it need not be read. */
  setDigestOf(file: string, bytes: Uint8Array): void {
    this.#digests.set(file, Promise.resolve(createHash('sha256').update(bytes).digest()));
  }

  #digestOf(source: ImageSource | PixelData): Promise<Buffer> {
    if (typeof source !== 'string') return digestOf(source);
    const digest = this.#digests.get(source) ?? digestOf(source);
    this.#digests.set(source, digest);
    return digest;
  }

  /** Returns the size of a thumbnail, which is made unless an earlier report has left it. */
  async #sizeOf(name: string, draw: () => Promise<PixelData>): Promise<Size> {
    const path = join(this.folder, FOLDER, name);
    this.#earlier ??= namesIn(dirname(path)).then((names) => new Set(names));
    const size = (await this.#earlier).has(name) ? await pictureSize(path) : undefined;
    return size ?? (await write(path, await draw()));
  }

  /** Removes thumbnails that the report does not show, and files that a killed process left. */
  async removeOthers(): Promise<void> {
    const folder = join(this.folder, FOLDER);
    await removePartialFiles(folder, (name) => NAME.test(name));
    const others = (await namesIn(folder)).filter((name) => NAME.test(name) && !this.#sizes.has(name));
    for (const name of others) await withFileErrors('remove', join(folder, name), () => rm(join(folder, name)));
  }
}

async function write(path: string, image: PixelData): Promise<Size> {
  const { bytes, ...size } = await encodeThumbnail(image);
  await writeFileAtomic(path, bytes, { flush: false }); // The next report makes a damaged one again.
  return size;
}

/** Opens the thumbnails of the report at `path`. */
export const thumbnailsOf = (path: string): Thumbnails => new Thumbnails(dirname(path));
