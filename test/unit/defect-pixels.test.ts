import { describe, expect, it } from 'vitest';
import { dilated, shifted } from '../../lib/model/place/defect-pixels.js';
import { boxMask, picture } from '../helpers/placing.js';

describe('shifted', () => {
  it('moves a mask, and loses what leaves it', () => {
    const mask = boxMask(5, 4, [3, 1, 2, 2]);
    expect(shifted(mask, -2, 1, 'empty').data).toEqual(boxMask(5, 4, [1, 2, 2, 2]).data);
    expect(shifted(mask, 1, 2, 'empty').data).toEqual(boxMask(5, 4, [4, 3, 1, 1]).data);
  });

  it('repeats the border of an image', () => {
    const image = picture(4, 1, 1);
    const [a, b] = image.data as unknown as [number, number];
    expect([...shifted(image, 2, 0, 'repeat').data]).toEqual([a, a, a, b]);
  });
});

describe('dilated', () => {
  it('widens a mask on all sides but not around the edge', () => {
    expect(dilated(boxMask(8, 6, [7, 2, 1, 1]).data, 8, 2)).toEqual(boxMask(8, 6, [5, 0, 3, 5]).data);
  });
});
