import { describe, expect, it } from 'vitest';
import { getEngine } from '../../lib/native.js';
import { sampleSchema, trainerSchema } from '../../lib/options/schemas.js';

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
    expect(without(options.sample, 'width', 'height', 'globalPrompt', 'anomalyPrompt')).toEqual(
      without(
        schema,
        ...['count', 'batchSize', 'resolution', 'skip', 'signal', 'onProgress'],
        ...['backgrounds', 'backgroundEvery', 'backgroundNoise'],
      ),
    );
  });
});

describe('the native layer', () => {
  it('refuses an option that is missing, unknown or of another type', async () => {
    const engine = await getEngine();
    const load = (options: object) => () => engine.loadModel(options as never, new engine.Task());
    expect(load({ folder: 'x', device: 'cpu' })).toThrow('expected a string for the native option dtype');
    expect(load({ folder: 'x', device: 'cpu', dtype: 'auto', colour: 'red' })).toThrow('unknown native option colour');
    expect(load({ folder: 1, device: 'cpu', dtype: 'auto' })).toThrow('expected a string for the native option folder');
  });
});
