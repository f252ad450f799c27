import { describe, expect, it } from 'vitest';
import { getEngine } from '../../lib/native.js';
import * as base from '../../lib/options/base.js';
import { engineSamplingOptions } from '../../lib/options/sampling.js';
import { engineTrainingOptions } from '../../lib/options/training.js';
import { disagreements } from '../helpers/contract.js';

const declared = { ...base, engineSamplingOptions, engineTrainingOptions };

describe('the engine', () => {
  it('names the options of each of its structs as lib/options declares them', async () => {
    const { options } = (await getEngine()).nativeInfo();
    expect(disagreements(options, declared)).toEqual({});
  });

  it('and lib/options disagree as soon as either has a name more or less', async () => {
    const { options } = (await getEngine()).nativeInfo();
    const { seed: _, ...fewer } = engineSamplingOptions;
    expect(disagreements(options, { ...declared, engineSamplingOptions: fewer })).toEqual({
      sample: ['seed'],
      place: ['seed'],
    });
    expect(disagreements({ ...options, train: [...options.train, 'more'] }, declared)).toEqual({ train: ['more'] });
    expect(disagreements({ ...options, unknown: ['x'] } as never, declared)).toEqual({ unknown: ['x'] });
  });

  it('refuses an option that is missing, unknown or of another type', async () => {
    const engine = await getEngine();
    const load = (options: object) => () => engine.loadModel(options as never, new engine.Task(0));
    const source = { path: 'x', configFolder: '', tokenizerFolder: '', predictionType: '' };
    const good = { ...source, device: 'cpu', dtype: 'auto', loraFiles: [], loraScales: [], taesd: '' };
    const { dtype: _, ...lacking } = good;
    expect(load(lacking)).toThrow('expected a string for the native option dtype');
    expect(load({ ...good, colour: 'red' })).toThrow('unknown native option colour');
    expect(load({ ...good, path: 1 })).toThrow('expected a string for the native option path');
    expect(load({ ...good, loraFiles: 'x' })).toThrow('expected a list for the native option loraFiles');
  });
});
