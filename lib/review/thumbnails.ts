/** Makes the small pictures of pairs when they are asked for, and keeps them in the reviewed folder. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { withFileErrors } from '../core/errors.js';
import { AT_ONCE } from '../core/few-at-once.js';
import { namesIn, writeFileAtomic } from '../core/files.js';
import type { PixelData } from '../core/image.js';
import { removePartialFiles } from '../core/partial-files.js';
import { readImage } from '../dataset/image-file.js';
import { readMask } from '../dataset/mask-file.js';
import { encodePreview, shrunk } from '../dataset/thumbnail-file.js';
import { outlined } from '../report/overlay.js';
import type { ThumbnailKind } from './contract.js';
import { CACHE } from './pair-facts.js';
import { reviewEnded } from './request-error.js';
import type { ReviewSession } from './session.js';

const FOLDER = 'thumbnails';
/** The longer side of a thumbnail has at most this number of pixels. */
const LONGEST = 256;

/** The thumbnails of a review. The version in a file's name changes with the picture, so that none is out of date. */
export class Thumbnails {
  readonly #fewAtOnce = pLimit(AT_ONCE);
  readonly #making = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(private readonly session: ReviewSession) {}

  /**
   * Returns a thumbnail as a WebP file. Returns undefined if the request was given up before its turn. Throws
   * ERR_DATASET_INVALID if the picture cannot be read, and ERR_REVIEW_ENDED after {@link close}.
   */
  async get(id: number, kind: ThumbnailKind, isGivenUp: () => boolean): Promise<Buffer | undefined> {
    const { folder, index } = this.session.placeOf(id);
    const { version } = this.session.stateOf(id);
    const path = join(folder, CACHE, FOLDER, `${index}-${kind}-${version}.webp`);
    const kept = await readFile(path).catch(() => undefined); // It is made anew if it cannot be read.
    if (kept) return kept;
    const making = this.#fewAtOnce(async () => {
      if (isGivenUp()) return undefined;
      if (this.#isClosed) throw reviewEnded('The review was closed: load the page again');
      const bytes = await encodePreview(await this.#draw(id, kind));
      await writeFileAtomic(path, bytes);
      return bytes;
    });
    this.#making.add(making);
    return making.finally(() => this.#making.delete(making));
  }

  /** Waits for the thumbnails that are being made. None is made afterwards, so that the folder can be removed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#making);
  }

  async #draw(id: number, kind: ThumbnailKind): Promise<PixelData> {
    if (kind !== 'outline') return shrunk(await readImage(this.session.fileOf(id, kind)), LONGEST);
    const image = await readImage(this.session.fileOf(id, 'image'));
    return outlined({ image, mask: await readMask(this.session.fileOf(id, 'mask')) }, LONGEST);
  }

  /** Removes the files that a killed process left. No thumbnail may be made meanwhile. */
  async removePartial(): Promise<void> {
    for (const pairs of this.session.folderPaths) {
      await removePartialFiles(join(pairs, CACHE, FOLDER), (name) => name.endsWith('.webp'));
    }
  }

  /** Removes the thumbnails of pictures that have changed. All pairs must be measured. */
  async removeOld(): Promise<void> {
    const current = new Map<string, Set<string>>();
    for (let id = 0; id < this.session.size; id++) {
      const { folder, index } = this.session.placeOf(id);
      const own = current.get(folder) ?? new Set();
      current.set(folder, own.add(`${index} ${this.session.stateOf(id).version}`));
    }
    for (const [pairs, versions] of current) {
      const folder = join(pairs, CACHE, FOLDER);
      for (const name of await namesIn(folder)) {
        const [, index, version] = /^(\d+)-[a-z]+-(.+)\.webp$/.exec(name) ?? [];
        if (index === undefined || versions.has(`${index} ${version}`)) continue;
        await withFileErrors('remove', join(folder, name), () => rm(join(folder, name)));
      }
    }
  }
}
