import { describe, expect, it } from 'vitest';
import { lossChart, smooth } from '../../lib/report/chart.js';
import { overlay } from '../../lib/report/overlay.js';

describe('report', () => {
  it('draws a curve through every step', () => {
    const points = Array.from({ length: 50 }, (_, i) => ({ step: i + 1, loss: 1 / (i + 1) }));
    const svg = lossChart(points);
    expect(svg.match(/[ML]\d/g)).toHaveLength(100);
    expect(svg).not.toContain('NaN');
    expect(smooth(points)[49]?.loss).toBeGreaterThan(1 / 50);
    expect(lossChart([{ step: 1, loss: 0.5 }])).not.toContain('NaN');
    expect(lossChart([])).toContain('No training steps');
  });

  it('outlines a mask and leaves its inside alone', () => {
    const image = { data: new Uint8Array(25 * 3).fill(100), width: 5, height: 5, channels: 3 } as const;
    const mask = {
      data: Uint8Array.from({ length: 25 }, (_, i) => (i % 5 > 0 && i % 5 < 4 && i > 4 && i < 20 ? 255 : 0)),
      width: 5,
      height: 5,
      channels: 1 as const,
    };
    const { data } = overlay(image, mask);
    const red = Array.from({ length: 25 }, (_, i) => data[3 * i] === 255);
    expect(red.filter(Boolean)).toHaveLength(8);
    expect(data[3 * 12]).toBe(100);
  });
});
