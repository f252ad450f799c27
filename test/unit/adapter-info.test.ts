import { describe, expect, it } from 'vitest';
import { adapterInfo } from '../../lib/model/adapter-info.js';

const good = {
  format: 'dualanodiff-adapter',
  ...{ format_version: '1', rank: '32', lora_scale: '1', background: 'off', type: 'crack', resolution: '64' },
  ...{ fit: 'stretch', part_fill: 'black', branches: 'joint', background_scaled: 'true', learning_rate: '1e-7' },
  ...{ global_prompt: 'a tile', anomaly_prompt: '', train_images: '1/3@2', training_images: '71f1', steps: '2' },
  ...{ base: '/models/sd', base_fingerprint: 'fbf9', dtype: 'float32', initial_adapter: 'none', flips: 'false' },
};
const info = (changes: Record<string, string>) => adapterInfo('a.safetensors', { ...good, ...changes });

describe('adapterInfo', () => {
  it('reads what training wrote', () => {
    expect(info({ train_images: '8', _note: 'mine' })).toMatchObject({
      ...{
        type: 'crack',
        resolution: 64,
        fit: 'stretch',
        partFill: 'black',
        background: 'off',
        backgroundScaled: true,
      },
      ...{ globalPrompt: 'a tile', anomalyPrompt: '' },
    });
    expect(info({ type: 'Schräge'.normalize('NFD') }).type).toBe('Schräge');
  });

  it('reads nothing of files in other formats', () => {
    expect(adapterInfo('a.bin', { background: 'interpolate' })).toMatchObject({
      ...{ background: 'interpolate', partFill: 'grey', fit: 'crop', backgroundScaled: false },
    });
    // Converted from a published file: the own format, and no training is known.
    const { format, format_version, rank, lora_scale, background } = good;
    const converted = adapterInfo('a', { format, format_version, rank, lora_scale, background });
    expect(converted).toMatchObject({ partFill: 'grey', backgroundScaled: false });
    expect(converted.type).toBeUndefined();
  });

  it.each([
    ...['../../../escaped/here', '/root', '..', '.hidden', 'a\\b', 'good', '', 'a\0b'].map((type) => ({ type })),
    ...['64px', '0', '1e9', '64.5', 'NaN', '', ' 64'].map((resolution) => ({ resolution })),
    ...['cover', 'Crop'].map((fit) => ({ fit })),
    ...['auto', 'white'].map((part_fill) => ({ part_fill })),
    ...['yes', '1', 'TRUE'].map((background_scaled) => ({ background_scaled })),
    ...['0', '-1', 'Infinity'].map((lora_scale) => ({ lora_scale })),
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
        message: expect.stringMatching(new RegExp(`a\\.safetensors.* for ${name} but received`)),
      }),
    );
  });

  it('refuses names that it does not know, and what is missing of a training', () => {
    expect(() => info({ window: 'auto', constructor: 'x' })).toThrow(
      'The metadata of a.safetensors: window = auto, constructor = x is not known to this version: update the package',
    );
    const { part_fill: _, type: __, ...torn } = good;
    expect(() => adapterInfo('a.safetensors', torn)).toThrow('type, part_fill is missing: the file is damaged');
  });
});
