import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { JobEvent } from '../../lib/jobs/index.js';
import type { CampaignJobOptions } from '../../lib/options/generated.js';
import { writeCategory } from '../helpers/dataset.js';
import { scratchFolder } from '../helpers/scratch.js';

/** The work on a type throws this error, by the type's name. */
const outcomes = vi.hoisted(() => new Map<string, unknown>());
const worked = vi.hoisted(() => [] as string[]);
vi.mock('../../lib/jobs/run-type.js', () => ({
  runType: async (_model: unknown, _dataset: unknown, type: string) => {
    worked.push(type);
    if (outcomes.has(type)) throw outcomes.get(type);
    return { type, report: '', dataset: '', pairs: 1, emptyMasks: 0, agreement: {}, dropped: 0, sampleSeconds: 0 };
  },
}));

// Modules of other test files in the same process (`npm run test:unit`) do the work itself.
vi.resetModules();
const { jobCommands } = await import('../../lib/cli/jobs.js');
const { AbortedError, OutOfMemoryError } = await import('../../lib/core/errors.js');
const { campaign } = await import('../../lib/jobs/index.js');

const folder = scratchFolder();
const warnings: string[] = [];
const onEvent = (event: JobEvent) => {
  if (event.event === 'warning') warnings.push(event.message);
};
/** Runs the types of a category called tile, of which some fail. The recipe needs no model. */
const run = (data: string, more: Partial<CampaignJobOptions> = {}, signal?: AbortSignal) =>
  campaign({ data, out: join(folder, 'out', data), recipe: 'augment', ...more }, { onEvent, signal });

/** A category whose types are called type0, type1 and so on, and fail like that. */
async function failing(name: string, errors: unknown[]): Promise<string> {
  const tile = join(folder, name, 'tile');
  for (const [index, error] of errors.entries()) {
    await writeCategory(tile, `type${index}`, 1);
    outcomes.set(`type${index}`, error);
  }
  return tile;
}

beforeEach(() => {
  outcomes.clear();
  worked.length = 0;
  warnings.length = 0;
});

describe('a campaign', () => {
  it('goes on past errors of every class, writes down each, and says so in the end', async () => {
    const data = await failing('many', [
      new RangeError('The value of "offset" is out of range'),
      new TypeError('x is undefined'),
      new OutOfMemoryError('no memory', 'ERR_OUT_OF_MEMORY'),
      Object.assign(new Error('read failed'), { code: 'EIO' }),
      'a text',
      undefined,
    ]);
    await writeCategory(data, 'whole', 1);
    const result = await run(data);
    expect(result.types).toMatchObject([{ category: 'tile', type: 'whole' }]);
    expect(result.failures.map(({ type, code }) => [type, code])).toEqual([
      ['type0', 'ERR_UNEXPECTED'],
      ['type1', 'ERR_UNEXPECTED'],
      ['type2', 'ERR_OUT_OF_MEMORY'],
      ['type3', 'ERR_UNEXPECTED'],
      ['type4', 'ERR_UNEXPECTED'],
      ['type5', 'ERR_UNEXPECTED'],
    ]);
    expect(JSON.parse(readFileSync(join(result.out, 'summary.json'), 'utf8'))).toEqual(result);
    expect(warnings[0]).toBe('tile type0: The value of "offset" is out of range (ERR_UNEXPECTED)');
    const command = jobCommands.find(({ name }) => name === 'run');
    const context = { signal: new AbortController().signal, say: () => {} };
    const shown = await command?.run({ data, out: result.out, recipe: 'augment' }, context);
    expect(shown).toMatchObject({ hasFailed: true, text: expect.stringContaining('tile type4 failed: a text') });
  });

  it("throws the only type's error as it is, unless a category has failed before", async () => {
    const error = new RangeError('alone');
    await expect(run(await failing('alone', [error]))).rejects.toBe(error);
    const data = join(folder, 'two');
    await failing('two', [error]);
    await writeCategory(join(data, 'broken'), ' crack', 1); // a folder of this name cannot be a type
    const result = await run(data);
    expect(result.failures).toMatchObject([{ category: 'broken' }, { category: 'tile', type: 'type0' }]);
    expect(result.failures[0]).not.toHaveProperty('type');
    expect(warnings[0]).toMatch(/^broken: .*cannot be a defect type.*\(ERR_DATASET_INVALID\)$/);
  });

  it('refuses a type whose folder would lie where its summary belongs, before any work', async () => {
    const data = await failing('in the way', [new Error('no')]);
    await writeCategory(data, 'summary.json', 1);
    await expect(run(data)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
    expect([worked, warnings]).toEqual([[], []]);
  });

  it('ends with an abort, and with any error once its signal has fired', async () => {
    const data = await failing('aborted', [new AbortedError(), new Error('not reached')]);
    await expect(run(data)).rejects.toThrow('aborted');
    const error = new Error('torn by the abort');
    outcomes.set('type0', error);
    worked.length = 0;
    await expect(run(data, {}, AbortSignal.abort())).rejects.toBe(error);
    expect(worked).toEqual(['type0']);
  });

  it('refuses options that the recipe augment would not read, and rules without methods, before it makes a folder', async () => {
    const data = await failing('unread', [new Error('no')]);
    for (const [options, message] of [
      [{ trainSteps: 5 }, 'The recipe augment has no model, so it does not use trainSteps: leave it out'],
      [{ guidanceScale: 2 }, 'does not use guidanceScale'],
      [{ recipe: 'noise', keepBest: '80%', mask: ['u2net'] }, 'Expected several methods for mask with keepBest'],
    ] as const) {
      const out = join(folder, 'unread out');
      await expect(run(data, { ...(options as object), out }), message).rejects.toThrow(message);
      expect(existsSync(out)).toBe(false);
    }
    mkdirSync(join(folder, 'empty'));
    await expect(run(join(folder, 'empty'))).rejects.toMatchObject({ code: 'ERR_DATASET_INVALID' });
  });
});
