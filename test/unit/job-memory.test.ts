import { describe, expect, it } from 'vitest';
import { embedded } from '../../lib/core/paths.js';
import { memoryOfJob } from '../../lib/jobs/estimates.js';

const GB = 1e9;
/** Only its settings count. A base without any gets those for Stable Diffusion. */
const base = embedded.example;

describe('the estimate of the memory of a job', () => {
  it('is that of docs/speed.md for training Stable Diffusion at 512 pixels', () => {
    const learn = (options: object) => memoryOfJob('learn', { resolution: 512, ...options }, base) / GB;
    expect(learn({ batchSize: 1 })).toBeCloseTo(6.5, 1);
    expect(learn({ batchSize: 1, gradientCheckpointing: true })).toBeCloseTo(4.4, 1);
    expect(learn({ batchSize: 4, gradientCheckpointing: true })).toBeCloseTo(7.4, 1);
  });

  it('grows with the area and the batch', () => {
    const generate = (options: object) => memoryOfJob('generate', { resolution: 512, batchSize: 1, ...options }, base);
    expect(generate({ batchSize: 2 }) - generate({})).toBeCloseTo(
      generate({ batchSize: 3 }) - generate({ batchSize: 2 }),
    );
    expect(generate({ resolution: 1024 })).toBeGreaterThan(2 * generate({}));
    expect(memoryOfJob('generate', {}, base)).toBe(memoryOfJob('generate', { batchSize: 4 }, base));
  });

  it('is small for the embedded base, and for jobs and campaigns that only look or make other jobs', () => {
    expect(memoryOfJob('learn', {})).toBeLessThan(2 * GB);
    for (const kind of ['check', 'export', 'mask', 'fit'] as const) expect(memoryOfJob(kind, {}, base)).toBe(0);
    expect(memoryOfJob('campaign', {}, base)).toBe(0);
    expect(memoryOfJob('campaign', { recipe: 'augment' }, base)).toBe(0);
    expect(memoryOfJob('campaign', { background: 'add' }, base)).toBeGreaterThan(6 * GB);
    expect(memoryOfJob('campaign', {}, base, { isDivided: false })).toBeGreaterThan(6 * GB);
    expect(memoryOfJob('campaign', { recipe: 'augment' }, base, { isDivided: false })).toBe(0);
    expect(memoryOfJob('evaluate', { recipes: [], ablations: ['no-saim'] }, base)).toBeGreaterThan(6 * GB);
    expect(memoryOfJob('evaluate', { recipes: ['noise'] }, base)).toBeGreaterThan(6 * GB);
    expect(memoryOfJob('evaluate', { recipes: ['augment'] }, base)).toBe(0);
  });
});
