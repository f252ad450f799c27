import type { z } from 'zod';
import type { NativeLayouts } from './addon-types.js';
import { DualAnoDiffError, InvalidOptionError } from './core/errors.js';
import { Dataset, type Example } from './dataset/dataset.js';
import { needsGoodImages, refuseNoGoodImages } from './dataset/good-images.js';
import type { ImageSource } from './dataset/image-source.js';
import { loadBackgrounds } from './model/foreground.js';
import { checkOptions } from './options/check.js';
import { layoutsSchema } from './options/schemas.js';
import { Pool } from './pool.js';
import { runNative } from './run-native.js';

/**
 * Options of {@link Layouts.create}.
 * @interface
 */
export type LayoutsOptions = z.input<typeof layoutsSchema>;

/** Throws ERR_INVALID_OPTION where it is said how to paste and nothing is pasted. */
export function refuseIdlePaste({
  pasteOnDefects,
  pasteTurns,
  pasteShare,
  smallPasteShare,
  thinPasteShare,
}: Omit<z.output<typeof layoutsSchema>, 'resolution' | 'fit' | 'seed'>): void {
  const idle = pasteOnDefects ? 'pasteOnDefects' : pasteTurns && 'pasteTurns';
  if (idle && !pasteShare && !smallPasteShare && !thinPasteShare) {
    throw new InvalidOptionError(
      `Expected pasteShare, smallPasteShare or thinPasteShare above 0 with ${idle}, or nothing is pasted`,
    );
  }
}

/** Good images that are decoded at once. */
const CHUNK = 16;

/** A blurred pair can be told from the photographs that a detector learns from beside it. */
const SHARP = 'lanczos3';

/**
 * Where variations of real pairs start: each a real defect, in its own image or moved, bent and scaled onto a good one.
 * The sampler noises it by `strength` and draws it anew (SDEdit, arXiv 2108.01073).
 *
 * @example
 * const dataset = await Dataset.open('tile');
 * const examples = await dataset.trainingExamples('crack', '1/3');
 * await using layouts = await Layouts.create(examples, await dataset.goodImages(), { resolution: 256 });
 * for await (const pair of sampler.sample({ count: 100, layouts, strength: 0.4, scheduler: 'ddim' })) …
 */
export class Layouts {
  private constructor(
    readonly resolution: number,
    /** The shares in which a defect keeps its own image, where it is large and where it is small. */
    readonly ownShare: number,
    readonly smallOwnShare: number,
    /** The shares of all layouts in which it is pasted as it is, where it is large, where it is small, and where it is a thin line. */
    readonly pasteShare: number,
    readonly smallPasteShare: number,
    readonly thinPasteShare: number,
    /** Whether that is onto real images with a defect, not onto good ones. */
    readonly pasteOnDefects: boolean,
    /** Whether it is turned by quarters, too. */
    readonly pasteTurns: boolean,
    /** How much the light on them varies, where the defect is large and where it is small. */
    readonly lightSpread: number,
    readonly smallLightSpread: number,
    /** How much their exposure varies. */
    readonly exposureSpread: number,
    /** Multiplies how much a moved defect stands out. */
    readonly movedContrast: number,
    private handle: NativeLayouts | undefined,
  ) {}

  /** Decodes the images. Throws ERR_DATASET_INVALID naming the file that cannot be used, and ERR_INVALID_OPTION. */
  static async create(
    examples: readonly Example[],
    goodImages: readonly ImageSource[],
    options: LayoutsOptions,
  ): Promise<Layouts> {
    const { resolution, fit, ...shares } = checkOptions(layoutsSchema, options);
    refuseIdlePaste(shares);
    if (goodImages.length === 0 && needsGoodImages(shares)) {
      refuseNoGoodImages(
        'train/good of the category',
        'ownShare and smallOwnShare of 1, which keep defects in their own images',
      );
    }
    const smallPasteShare = shares.smallPasteShare ?? shares.pasteShare;
    const thinPasteShare = shares.thinPasteShare ?? smallPasteShare;
    const smallLightSpread = shares.smallLightSpread ?? shares.lightSpread;
    const chosen = { ...shares, smallPasteShare, thinPasteShare, smallLightSpread };
    const [defects, good] = [await Pool.create(resolution), await Pool.create(resolution)];
    try {
      const loaded = await Dataset.load([...examples], resolution, fit, undefined, SHARP);
      defects.addDefects(
        loaded.map(({ pixels, maskPixels }) => ({ pixels: pixels.data, mask: maskPixels.data })),
        0,
        0,
      );
      for (let from = 0; from < goodImages.length; from += CHUNK) {
        const chunk = await loadBackgrounds(goodImages.slice(from, from + CHUNK), resolution, fit, 'none', SHARP);
        good.addGood(chunk.map(({ image, foreground }) => ({ pixels: image.data, mask: foreground.data })));
      }
      const handle = await runNative({}, (engine, task) =>
        engine.createLayouts(chosen, defects.handle, good.handle, task),
      );
      const { ownShare, smallOwnShare, pasteShare, pasteOnDefects, pasteTurns } = chosen;
      const { lightSpread, exposureSpread, movedContrast } = chosen;
      const paste = [pasteShare, smallPasteShare, thinPasteShare, pasteOnDefects, pasteTurns] as const;
      const look = [lightSpread, smallLightSpread, exposureSpread, movedContrast] as const;
      return new Layouts(resolution, ownShare, smallOwnShare, ...paste, ...look, handle);
    } finally {
      defects.dispose();
      good.dispose();
    }
  }

  /** @internal */
  get native(): NativeLayouts {
    if (!this.handle) throw new DualAnoDiffError('The layouts are disposed', 'ERR_DISPOSED');
    return this.handle;
  }

  /** Frees the images. May be called twice; a sampler that draws from them must be done. */
  async dispose(): Promise<void> {
    this.handle?.dispose();
    this.handle = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
