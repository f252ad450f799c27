import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Speedometer } from '../../lib/cli/speedometer.js';

/** Milliseconds from the beginning of the work to each update, which finishes one unit. */
function speedsAt(times: readonly number[], { before = 0 } = {}): number[] {
  const speedometer = new Speedometer(performance.now());
  let now = 0;
  return times.map((time, i) => {
    vi.advanceTimersByTime(time - now);
    now = time;
    return speedometer.at(before + i + 1);
  });
}

describe('the speed of a command', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('counts the time in which a batch was made, even if its pairs come at once', () => {
    const [first, second, third] = speedsAt([6000, 6006, 6012]);
    expect(first).toBeCloseTo(1 / 6, 2);
    expect(second).toBeCloseTo(2 / 6, 2);
    expect(third).toBeCloseTo(3 / 6, 2);
  });

  it('is that of the batches before, as long as the pairs of a batch come', () => {
    const times = [0, 1, 2].flatMap((batch) => [1, 2, 3, 4].map((pair) => 6000 * (batch + 1) + 100 * pair));
    const later = speedsAt(times).slice(4);
    expect(later).toHaveLength(8);
    for (const speed of later) expect(speed).toBeCloseTo(4 / 6, 5);
  });

  it('follows steps that take the same time each from the second step on', () => {
    const times = Array.from({ length: 50 }, (_, i) => 2000 + 50 * i);
    const speeds = speedsAt(times, { before: 700 });
    expect(speeds[0]).toBeCloseTo(0.5, 5); // The preparations took a part of these 2 seconds.
    expect(speeds.at(-1)).toBeCloseTo(20, 5);
  });

  it('follows the work again after a pause', () => {
    const times = [100, 200, 300, 5300, ...Array.from({ length: 60 }, (_, i) => 5400 + 100 * i)];
    const speeds = speedsAt(times);
    expect(speeds[2]).toBeCloseTo(10, 5);
    expect(speeds[3]).toBeCloseTo(3 / 5.2, 5);
    expect(speeds.at(-1)).toBeCloseTo((times.length - 1) / (((times.at(-1) as number) - 100) / 1000), 1);
  });

  it('leaves out what an earlier process finished, before the work of this one and in the middle of it', () => {
    const speedometer = new Speedometer(performance.now());
    const at = (time: number, done: number, doneBefore: number) => {
      vi.advanceTimersByTime(time - performance.now());
      return speedometer.at(done, doneBefore);
    };
    const began = performance.now();
    expect(at(began + 10, 600, 600)).toBeUndefined();
    expect(at(began + 20, 1200, 1200)).toBeUndefined();
    for (let step = 1; step <= 40; step++) at(began + 1000 * step, 1200 + step, 1200);
    expect(at(began + 41_000, 1241, 1200)).toBeCloseTo(1, 2);
    expect(at(began + 41_010, 1841, 1800)).toBeCloseTo(1, 2);
    expect(at(began + 42_000, 1842, 1800)).toBeCloseTo(1, 2);
  });

  it('is finite even if the first unit is finished at once', () => {
    expect(speedsAt([0, 0]).every(Number.isFinite)).toBe(true);
  });
});
