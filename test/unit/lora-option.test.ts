import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFileWithScale } from '../../lib/cli/flags.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const at = (name: string) => join(folder, name);
for (const name of ['a.safetensors', 'rank=4.safetensors', 'both', 'both=2']) writeFileSync(at(name), '');
mkdirSync(at('folder=1'));

describe('--lora', () => {
  it.each([
    ['a.safetensors', 'a.safetensors', 1],
    ['a.safetensors=0.5', 'a.safetensors', 0.5],
    ['a.safetensors=-1e-1', 'a.safetensors', -0.1],
    ['rank=4.safetensors', 'rank=4.safetensors', 1],
    ['rank=4.safetensors=2', 'rank=4.safetensors', 2],
    ['both=2', 'both=2', 1],
    ['both=2=3', 'both=2', 3],
    ['folder=1', 'folder=1', 1],
    // The error names the whole text of a file that does not exist, unless a number follows.
    ['gone=x.safetensors', 'gone=x.safetensors', 1],
    ['gone=3', 'gone', 3],
  ])('reads %s as the file %s with the scale %d', (text, file, scale) => {
    expect(readFileWithScale(at(text))).toEqual([{ file: at(file), scale }]);
  });

  it('adds to the files of earlier flags, and refuses what is no number behind a file', () => {
    expect(readFileWithScale(at('a.safetensors'), [{ file: 'x', scale: 2 }])).toHaveLength(2);
    for (const scale of ['', 'half', '1,5', 'NaN', 'Infinity', '0.5x'])
      expect(() => readFileWithScale(at(`a.safetensors=${scale}`)), scale).toThrow('Expected a number after');
  });
});
