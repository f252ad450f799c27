import { describe, expect, it } from 'vitest';
import { checkOptions } from '../../lib/options/check.js';
import { trainerSchema } from '../../lib/options/training.js';
import { isTypeName, typeName } from '../../lib/options/type-name.js';

const bad = ['', '.', '..', '.hidden', '../x', 'a/b', '/x', 'a\\b', 'a\0b', 'a\nb', ' a', 'a ', 'good', 'a\u2028b'];

describe('typeName', () => {
  it('takes what is one name of a folder, in NFC', () => {
    for (const name of ['crack', 'a..b', 'a.b', 'dropped', 'test', 'Schräge', '裂け目', 'x'.repeat(255), 'a b', "it's"])
      expect(typeName().parse(name)).toBe(name);
    expect(typeName().parse('Schräge'.normalize('NFD'))).toBe('Schräge');
  });

  it('refuses what leads elsewhere, is hidden or no file system takes', () => {
    for (const name of [...bad, 'x'.repeat(256), 'ä'.repeat(128), '\ud800']) expect(isTypeName(name), name).toBe(false);
  });

  it('is what the trainer takes', () => {
    for (const type of bad) {
      if (type === 'good') continue; // Training takes it for photographs without a defect.
      const check = () => checkOptions(trainerSchema, { types: ['crack', type] });
      expect(check, type).toThrow('Expected good or the name of a defect type');
    }
    expect(checkOptions(trainerSchema, { types: ['crack', 'good'] }).types).toEqual(['crack', 'good']);
  });
});
