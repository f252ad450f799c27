import { describe, expect, it } from 'vitest';
import { needsGoodImages } from '../../lib/dataset/good-images.js';
import { Layouts } from '../../lib/layouts.js';
import { layoutsSchema } from '../../lib/options/schemas.js';

const shares = (chosen: object) => layoutsSchema.parse({ resolution: 64, ...chosen });

describe('layouts without good images', () => {
  it('are refused where some defects would go onto one', async () => {
    for (const chosen of [
      {},
      { ownShare: 0.9 },
      { ownShare: 1, smallOwnShare: 0.5 },
      { ownShare: 1, thinPasteShare: 0.1 },
    ]) {
      const create = Layouts.create([], [], { resolution: 64, ...chosen });
      await expect(create).rejects.toThrow('There are no good images: expected some in train/good');
      await expect(create).rejects.toMatchObject({ code: 'ERR_DATASET_INVALID' });
    }
  });

  it('are possible where defects keep their own images, or lie on others with a defect', () => {
    expect(needsGoodImages(shares({ ownShare: 1 }))).toBe(false);
    expect(needsGoodImages(shares({ ownShare: 1, pasteShare: 1, pasteOnDefects: true }))).toBe(false);
    expect(needsGoodImages(shares({ ownShare: 1, pasteShare: 1 }))).toBe(true);
  });
});
