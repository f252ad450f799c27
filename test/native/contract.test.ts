import { describe, expect, it } from 'vitest';
import { PROTOCOLS } from '../../lib/evaluate/protocol.js';
import { getEngine } from '../../lib/native.js';
import {
  convertAdapterSchema,
  convertCheckpointSchema,
  loadSchema,
  sampleSchema,
  trainerSchema,
} from '../../lib/options/schemas.js';

/** Names that the TypeScript side keeps, and those that it adds for the engine. */
const without = (names: string[], ...kept: string[]) => names.filter((name) => !kept.includes(name)).sort();

describe('the engine and the schemas name the same options', () => {
  it('training', async () => {
    const { options } = (await getEngine()).nativeInfo();
    const schema = Object.keys(trainerSchema.shape);
    expect(without(options.train, 'count', 'width', 'height')).toEqual(
      without(schema, 'type', 'trainImages', 'resolution', 'fit', 'foregroundMasks', 'foregroundWeights'),
    );
  });

  it('sampling', async () => {
    const { options } = (await getEngine()).nativeInfo();
    const schema = Object.keys(sampleSchema.shape);
    expect(without(options.sample, 'width', 'height', 'fastDecoder', 'guidedFrom', 'guidedTo')).toEqual(
      without(
        schema,
        ...['count', 'batchSize', 'resolution', 'skip', 'signal', 'onProgress', 'decoder'],
        ...['backgrounds', 'backgroundEvery', 'backgroundNoise', 'backgroundScaled', 'guidanceInterval'],
        'keepBackgroundFeatures',
      ),
    );
  });

  it('evaluating', async () => {
    const { options } = (await getEngine()).nativeInfo();
    expect(without(options.learner, 'seed', 'source', 'flipDefects', 'device')).toEqual(
      without(Object.keys(PROTOCOLS.paper), 'resolution', 'classifier'),
    );
    expect([...options.map].sort()).toEqual(['count', 'height', 'width']);
  });

  it('loading and converting', async () => {
    const { options } = (await getEngine()).nativeInfo();
    expect(without(options.load, 'path', 'tokenizerFolder', 'loraFiles', 'loraScales')).toEqual(
      without(Object.keys(loadSchema.shape), 'signal', 'loras'),
    );
    expect(without(options.convertBase, 'path', 'tokenizerFolder', 'out')).toEqual(
      without(Object.keys(convertCheckpointSchema.shape), 'signal'),
    );
    expect(without(options.convertAdapter, 'input', 'out')).toEqual(
      without(Object.keys(convertAdapterSchema.shape), 'signal'),
    );
  });
});

describe('the native layer', () => {
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
