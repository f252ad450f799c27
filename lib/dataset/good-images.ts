/** A job that needs good images is refused where there are none. */
import { DatasetError } from '../core/errors.js';

/** How layouts share out defects. */
interface LayoutShares {
  ownShare: number;
  smallOwnShare: number;
  pasteShare: number;
  smallPasteShare?: number | undefined;
  thinPasteShare?: number | undefined;
  pasteOnDefects: boolean;
}

/** Whether some layouts put a defect onto a good image. */
export function needsGoodImages(shares: LayoutShares): boolean {
  const { ownShare, smallOwnShare, pasteShare, smallPasteShare = 0, thinPasteShare = 0, pasteOnDefects } = shares;
  const pastes = Math.max(pasteShare, smallPasteShare, thinPasteShare) > 0;
  return ownShare < 1 || smallOwnShare < 1 || (pastes && !pasteOnDefects);
}

/** Throws ERR_DATASET_INVALID that names where good images are expected. */
export function refuseNoGoodImages(folder: string, instead: string): never {
  throw new DatasetError(`There are no good images: expected some in ${folder}, or ${instead}`);
}
