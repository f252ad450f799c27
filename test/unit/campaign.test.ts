import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CampaignJob, describeCampaign, failureOf, runCampaign } from '../../lib/cli/campaign.js';
import { Console } from '../../lib/cli/console.js';
import { DEFAULT_RUN_FLAGS } from '../../lib/cli/run-type.js';
import { AbortedError, OutOfMemoryError } from '../../lib/errors.js';
import type { DualAnoDiff } from '../../lib/index.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
/** As much of a model as training asks for before it reads images. */
const model = { defaults: { steps: 1, globalPrompt: 'x', anomalyPrompt: 'x' } } as DualAnoDiff;

/** A job that fails like that. */
function failing(out: string, type: string, error: unknown): CampaignJob {
  const trainingExamples = () => Promise.reject(error);
  const dataset = { category: 'tile', trainingExamples, goodImages: async () => ['good.png'] };
  return { dataset: dataset as unknown as CampaignJob['dataset'], type, out };
}

class Quiet extends Console {
  readonly warnings: string[] = [];
  constructor() {
    super(true);
  }
  override warn(line: string): void {
    this.warnings.push(line);
  }
}

const run = (name: string, errors: unknown[], io = new Quiet(), signal = new AbortController().signal) => {
  const out = join(folder, name);
  const jobs = errors.map((error, index) => failing(out, `type${index}`, error));
  return runCampaign(model, jobs, [], out, { ...DEFAULT_RUN_FLAGS, count: 1 }, { io, signal });
};

describe('runCampaign', () => {
  it('goes on past errors of every class, and writes down each', async () => {
    const errors = [
      new RangeError('The value of "offset" is out of range'),
      new TypeError('x is undefined'),
      new OutOfMemoryError('no memory', 'ERR_OUT_OF_MEMORY'),
      Object.assign(new Error('read failed'), { code: 'EIO' }),
      'a text',
      undefined,
    ];
    const io = new Quiet();
    const campaign = await run('many', errors, io);
    expect(campaign.types).toEqual([]);
    expect(campaign.failures.map(({ type, code }) => [type, code])).toEqual([
      ['type0', 'ERR_UNEXPECTED'],
      ['type1', 'ERR_UNEXPECTED'],
      ['type2', 'ERR_OUT_OF_MEMORY'],
      ['type3', 'ERR_UNEXPECTED'],
      ['type4', 'ERR_UNEXPECTED'],
      ['type5', 'ERR_UNEXPECTED'],
    ]);
    expect(JSON.parse(readFileSync(join(folder, 'many', 'summary.json'), 'utf8'))).toEqual(campaign);
    expect(io.warnings[0]).toBe('tile type0: The value of "offset" is out of range (ERR_UNEXPECTED)');
    expect(describeCampaign(campaign)).toContain('tile type4 failed: a text');
  });

  it("makes the only job's error the caller's, unless a category has failed before", async () => {
    const error = new RangeError('alone');
    await expect(run('alone', [error])).rejects.toBe(error);
    const failure = failureOf({ category: 'broken' }, new Error('cannot be opened'));
    const out = join(folder, 'two');
    const context = { io: new Quiet(), signal: new AbortController().signal };
    const jobs = [failing(out, 'crack', error)];
    const campaign = await runCampaign(model, jobs, [failure], out, { ...DEFAULT_RUN_FLAGS, count: 1 }, context);
    expect(campaign.failures).toMatchObject([{ category: 'broken' }, { category: 'tile', type: 'crack' }]);
    expect(context.io.warnings[0]).toBe('broken: cannot be opened (ERR_UNEXPECTED)');
  });

  it('refuses a type whose folder would lie where its summary belongs, before any work', async () => {
    const context = { io: new Quiet(), signal: new AbortController().signal };
    const jobs = [failing(folder, 'crack', new Error('no')), failing(folder, 'summary.json', new Error('no'))];
    const campaign = runCampaign(model, jobs, [], folder, { ...DEFAULT_RUN_FLAGS, count: 1 }, context);
    await expect(campaign).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
    expect(context.io.warnings).toEqual([]);
  });

  it('ends with an abort, whatever it makes of the work', async () => {
    await expect(run('aborted', [new AbortedError(), new Error('not reached')])).rejects.toThrow('aborted');
    const signal = AbortSignal.abort();
    const error = new Error('torn by the abort');
    await expect(run('torn', [error, new Error('not reached')], new Quiet(), signal)).rejects.toThrow();
  });
});
