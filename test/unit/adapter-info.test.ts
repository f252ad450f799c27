import { describe, expect, it } from 'vitest';
import { adapterInfo } from '../../lib/model/adapter-info.js';

const shared = {
  format: 'dualanodiff-adapter',
  ...{ format_version: '1', rank: '32', lora_scale: '1', background: 'off', resolution: '64' },
  ...{ fit: 'stretch', part_fill: 'black', branches: 'joint', background_scaled: 'true', learning_rate: '1e-7' },
  ...{ train_images: '1/3@2', training_images: '71f1', steps: '2' },
  ...{ base: '/models/sd', base_fingerprint: 'fbf9', dtype: 'float32', initial_adapter: 'none', flips: 'false' },
};
const good = {
  ...shared,
  types: '["crack","good"]',
  prompts: '[{"global":"a tile with a crack","anomaly":"crack"},{"global":"a tile","anomaly":""}]',
  window: '128',
  examples: '[{"type":0,"region":3,"x":0.25,"y":1}]',
};
/** Version 0.1.0 stored one type, and trained on whole images. */
const old = { ...shared, type: 'crack', global_prompt: 'a tile', anomaly_prompt: '' };
const info = (changes: Record<string, string>) => adapterInfo('a.safetensors', { ...good, ...changes });

describe('adapterInfo', () => {
  it('reads what training wrote', () => {
    expect(info({ train_images: '8', _note: 'mine', example_types: '0' })).toMatchObject({
      types: ['crack', 'good'],
      prompts: [
        { global: 'a tile with a crack', anomaly: 'crack' },
        { global: 'a tile', anomaly: '' },
      ],
      ...{ resolution: 64, fit: 'stretch', partFill: 'black', window: 128 },
      ...{ background: 'off', backgroundScaled: true },
      examples: [{ type: 0, region: 3, x: 0.25, y: 1 }],
    });
    expect(info({ window: 'off' }).window).toBe('off');
    const object = { u: -1.5, v: 0.25, angle: -Math.PI, axis: 'signed', inside: 0.6 };
    const examples = [{ type: 0, region: 3, x: 0.25, y: 1, object }];
    expect(info({ examples: JSON.stringify(examples) }).examples).toEqual(examples);
    expect(info({ types: JSON.stringify(['Schräge'.normalize('NFD'), 'good']) }).types[0]).toBe('Schräge');
  });

  it('reads adapters of version 0.1.0', () => {
    expect(adapterInfo('a.safetensors', old)).toMatchObject({
      ...{ types: ['crack'], prompts: [{ global: 'a tile', anomaly: '' }], window: 'off', examples: [] },
      ...{ resolution: 64, fit: 'stretch' },
    });
  });

  it('reads nothing of files in other formats', () => {
    const published = adapterInfo('a.bin', { background: 'interpolate' });
    expect(published).toMatchObject({
      ...{ background: 'interpolate', partFill: 'grey', fit: 'crop', backgroundScaled: false },
      ...{ types: [], prompts: [{ global: 'a vfx with sks', anomaly: 'sks' }], examples: [] },
    });
    expect(published.window).toBeUndefined();
    // Converted from a published file: the own format, and no training is known.
    const { format, format_version, rank, lora_scale, background } = good;
    const converted = adapterInfo('a', { format, format_version, rank, lora_scale, background });
    expect(converted).toMatchObject({ partFill: 'grey', backgroundScaled: false, types: [] });
    expect(converted.window).toBeUndefined();
  });

  it.each([
    ...['64px', '0', '1e9', '64.5', 'NaN', '', ' 64'].map((resolution) => ({ resolution })),
    ...['cover', 'Crop'].map((fit) => ({ fit })),
    ...['auto', 'white'].map((part_fill) => ({ part_fill })),
    ...['yes', '1', 'TRUE'].map((background_scaled) => ({ background_scaled })),
    ...['0', '-1', 'Infinity'].map((lora_scale) => ({ lora_scale })),
    ...['auto', '0', '12.5', '1e6', ''].map((window) => ({ window })),
    ...['crack', '[]', '["crack","crack"]', '{}', '[1]', 'null', '["crack"'].map((types) => ({ types })),
    ...['[]', '["a"]', '[{"global":"a"}]', '[{"global":"a","anomaly":1}]'].map((prompts) => ({ prompts })),
    ...['', '[0]', '{"type":0}'].map((examples) => ({ examples })),
    { steps: '1.5' },
    { branches: 'two' },
    { train_images: '1/0' },
    { learning_rate: '0' },
    { seed: '-1' },
    { dtype: 'int8' },
  ])('refuses %o', (change) => {
    const [[name]] = Object.entries(change) as [[string, string]];
    expect(() => info(change as Record<string, string>)).toThrow(
      expect.objectContaining({
        code: 'ERR_WEIGHTS_INVALID',
        message: expect.stringMatching(new RegExp(`a\\.safetensors.* for ${name}[.\\w]* but received`)),
      }),
    );
  });

  it.each(['../../../escaped/here', '/root', '..', '.hidden', 'a\\b', '', 'a\0b'])('refuses the type %j', (type) => {
    for (const metadata of [
      { ...good, types: JSON.stringify([type, 'good']) },
      { ...old, type },
    ]) {
      expect(() => adapterInfo('a.safetensors', metadata)).toThrow('for types.0 but received');
    }
  });

  it.each([
    ['[{"type":0,"region":1,"x":0.5,"y":1.01}]', 'for examples.0.y'],
    ['[{"type":0,"region":-1,"x":0.5,"y":0.5}]', 'for examples.0.region'],
    ...(
      [
        ['3', 'for examples.0.object'],
        ['{"u":1,"v":0,"angle":0,"inside":1}', 'one of none, unsigned, signed for examples.0.object.axis'],
        ['{"u":1,"v":0,"angle":0,"axis":"long","inside":1}', 'for examples.0.object.axis'],
        ['{"u":1,"v":0,"angle":7,"axis":"none","inside":1}', 'for examples.0.object.angle'],
        ['{"u":1e999,"v":0,"angle":0,"axis":"none","inside":1}', 'for examples.0.object.u'],
        ['{"u":1,"v":-11,"angle":0,"axis":"none","inside":1}', 'a number -10..10 for examples.0.object.v'],
        ['{"u":1,"v":0,"angle":0,"axis":"none","inside":0}', 'above 0 and up to 1 for examples.0.object.inside'],
        ['{"u":1,"v":0,"angle":0,"axis":"none","inside":1,"w":1}', 'Unknown option w'],
      ] as const
    ).map(([object, message]) => [`[{"type":0,"region":1,"x":0.5,"y":0.5,"object":${object}}]`, message] as const),
    ['[{"type":2,"region":1,"x":0.5,"y":0.5}]', 'expected an example of the types 0 to 1 but found type 2'],
  ])('refuses the examples %s', (examples, message) => {
    expect(() => info({ examples })).toThrow(message);
  });

  it('refuses names that it does not know, and what is missing of a training', () => {
    expect(() => info({ scale: 'auto', constructor: 'x' })).toThrow(
      'The metadata of a.safetensors: scale = auto, constructor = x is not known to this version: update the package',
    );
    const { part_fill: _, types: __, ...torn } = good;
    expect(() => adapterInfo('a.safetensors', torn)).toThrow('types, part_fill is missing: the file is damaged');
    expect(() => info({ prompts: '[{"global":"a","anomaly":"b"}]' })).toThrow(
      'expected 2 prompts, one for each type, but found 1',
    );
  });
});
