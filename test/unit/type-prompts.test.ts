import { describe, expect, it } from 'vitest';
import { learnedType, promptsOfTypes } from '../../lib/model/type-prompts.js';

describe('the prompts of types', () => {
  const paper = { global: 'a vfx with sks', anomaly: 'sks' };

  it('are the templates for a single type, with the names of the dataset', () => {
    expect(promptsOfTypes(paper, 'metal_nut', ['bent_edge'])).toEqual([paper]);
    const templates = { global: '{category} with a {type}', anomaly: '{type}, {type}' };
    expect(promptsOfTypes(templates, 'metal_nut', ['bent_edge'])).toEqual([
      { global: 'metal nut with a bent edge', anomaly: 'bent edge, bent edge' },
    ]);
    expect(promptsOfTypes({ global: '{category}', anomaly: '' }, '$& {type}', ['a'])).toEqual([
      { global: '$& {type}', anomaly: '' },
    ]);
  });

  it('tell several types apart, and good photographs from them', () => {
    expect(promptsOfTypes(paper, 'metal_nut', ['bent', 'color', 'good'])).toEqual([
      { global: 'a vfx with sks bent', anomaly: 'sks bent' },
      { global: 'a vfx with sks color', anomaly: 'sks color' },
      { global: 'metal nut without a defect', anomaly: 'no defect' },
    ]);
    const mixed = promptsOfTypes({ global: 'a {type} tile', anomaly: '' }, 'tile', ['crack', 'hole']);
    expect(mixed).toEqual([
      { global: 'a crack tile', anomaly: 'crack' },
      { global: 'a hole tile', anomaly: 'hole' },
    ]);
  });

  it('are found again by the type', () => {
    const prompts = promptsOfTypes(paper, 'nut', ['bent', 'color']);
    const learned = { types: ['bent', 'color'], prompts };
    expect(learnedType(learned, 'color')).toEqual({ index: 1, name: 'color', prompts: prompts[1] });
    expect(() => learnedType(learned, undefined)).toThrow('Expected one of bent, color for type but received nothing');
    expect(() => learnedType(learned, 'scratch')).toThrow(
      'Expected one of bent, color for type but received "scratch"',
    );
    const one = { types: ['bent'], prompts: [paper] };
    expect(learnedType(one, undefined)).toEqual({ index: 0, name: 'bent', prompts: paper });
    // Files of the published code store no types, so that any name does.
    const published = { types: [], prompts: [paper] };
    expect(learnedType(published, 'scratch')).toEqual({ index: 0, name: 'scratch', prompts: paper });
    expect(learnedType(published, undefined).name).toBe('anomaly');
  });
});
