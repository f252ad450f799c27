import { describe, expect, it } from 'vitest';
import { RawImage } from '../../lib/core/image.js';
import type { LoadedExample } from '../../lib/dataset/dataset.js';
import { clearerFill } from '../../lib/dataset/part-fill.js';

/** Four pixels, of which the first two are the defect, at these levels. */
const example = (first: number, second: number): LoadedExample => ({
  ...{ name: '000', image: '', mask: '' },
  pixels: new RawImage({
    ...{ width: 2, height: 2, channels: 3 },
    data: Uint8Array.from([first, second, 0, 255].flatMap((level) => [level, level, level])),
  }),
  maskPixels: new RawImage({ data: Uint8Array.of(255, 255, 0, 0), width: 2, height: 2, channels: 1 }),
});

describe('the blank of a part', () => {
  it('is black where defects are about grey, and grey where they are about black', async () => {
    expect(await clearerFill([example(120, 140)])).toBe('black');
    expect(await clearerFill([example(10, 30)])).toBe('grey');
    expect(await clearerFill([example(10, 20), example(130, 120), example(125, 60)])).toBe('black');
    expect(await clearerFill([example(10, 128)])).toBe('grey'); // as many: the default
  });
});
