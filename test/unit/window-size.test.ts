import { describe, expect, it } from 'vitest';
import { decideWindow } from '../../lib/dataset/window-size.js';

const square = (side: number) => ({ width: side, height: side });
/** Defects that are as thick as they are long, unless a thickness is given. */
const long = (extent: number, thickness = extent) => ({ extent, area: extent * thickness });

describe('decideWindow', () => {
  it.each([
    // Photographs, defects, the model's resolution, and the decision.
    ['a defect fits at the own scale', [square(1024)], [long(60)], 128, 128],
    ['photographs are as large as the model', [square(512)], [long(60)], 512, 'off'],
    ['photographs are smaller than the model', [square(256)], [long(10)], 512, 'off'],
    ['a long and thick defect needs a larger window', [square(2000)], [long(300)], 128, 400],
    ['a long and thin defect would vanish in a larger window', [square(2000)], [long(300, 4)], 128, 128],
    ['a thin defect may shrink to four pixels', [square(2000)], [long(300, 8)], 128, 256],
    ['a window would be as large as the photograph', [square(400)], [long(300)], 128, 'off'],
    ['the shorter side counts', [{ width: 4000, height: 500 }], [long(400)], 128, 'off'],
    ['a tiny defect is magnified', [square(1024)], [long(10)], 128, 40],
    ['a window is magnified four times at most', [square(1024)], [long(3)], 128, 32],
    ['most defects decide, not the largest', [square(1024)], [long(20), long(20), long(24), long(600)], 128, 128],
    ['most photographs decide', [square(100), square(1000), square(1000)], [long(60)], 128, 128],
  ] as const)('decides by the sizes: %s', (_, photographs, defects, resolution, expected) => {
    expect(decideWindow(photographs, defects, resolution).window).toBe(expected);
  });

  it('takes sides in multiples of eight pixels', () => {
    for (let extent = 1; extent < 500; extent += 7) {
      const { window } = decideWindow([square(3000)], [long(extent)], 100);
      expect(Number(window) % 8, String(extent)).toBe(0);
      expect(window).toBeGreaterThan(0);
    }
  });

  it('says what it has decided, and why', () => {
    const photographs = [square(1024), { width: 1024, height: 768 }];
    expect(decideWindow(photographs, [long(14), long(60)], 128).reason).toBe(
      'windows of 128 pixels: the defects are 14 to 60 pixels long in photographs of 1024 x 768 to 1024',
    );
    expect(decideWindow([square(300)], [long(250)], 128).reason).toBe(
      'whole images: windows for defects 250 pixels long would be as large as photographs of 300 x 300',
    );
    expect(decideWindow([square(500)], [long(50)], 512).reason).toBe(
      'whole images: windows of 512 pixels would be as large as photographs of 500 x 500',
    );
  });
});
