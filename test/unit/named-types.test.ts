import { describe, expect, it } from 'vitest';
import { readFlag } from '../../lib/cli/flags.js';
import { Dataset } from '../../lib/dataset/dataset.js';
import { typesIn } from '../../lib/jobs/named-types.js';
import { trainingOptions } from '../../lib/options/training.js';

const pixels = { data: new Uint8Array(64).fill(9), width: 8, height: 8, channels: 1 as const };
const examples = [{ image: pixels, mask: pixels }];
const of = (...names: string[]) => Object.fromEntries(names.map((name) => [name, examples]));
const dataset = Dataset.from({ types: of('crack', 'hole', 'Schräge'), good: [pixels] });

describe('the types that the command train gets as text', () => {
  it('are one, several or all', async () => {
    expect(await typesIn(dataset, 'hole')).toEqual(['hole']);
    expect(await typesIn(dataset, 'hole,crack')).toEqual(['hole', 'crack']);
    expect(await typesIn(dataset, 'all')).toEqual(['Schräge', 'crack', 'hole']);
    expect(await typesIn(dataset, 'all,good')).toEqual(['Schräge', 'crack', 'hole', 'good']);
    expect(await typesIn(dataset, 'crack,good')).toEqual(['crack', 'good']);
    expect(await typesIn(dataset, 'Schräge'.normalize('NFD'))).toEqual(['Schräge']);
  });

  it('may be named like the words and signs of the text', async () => {
    const odd = Dataset.from({ types: of('a,b', 'all', 'a') });
    expect(await typesIn(odd, 'a,b')).toEqual(['a,b']);
    expect(await typesIn(odd, 'all')).toEqual(['all']);
    expect(await typesIn(odd, 'a,all')).toEqual(['a', 'all']);
  });

  it.each([
    ['dent', 'has no defect type dent; it has Schräge, crack, hole'],
    ['crack,dent', 'has no defect type dent'],
    ['all,crack', 'Expected each type once for type but received'],
    ['crack,crack', 'Expected each type once for type but received'],
    ['crack,', 'Expected good or the name of a defect type'],
    ['../crack', 'Expected good or the name of a defect type'],
    ['good', 'Expected a defect type beside good for types'],
  ])('are refused where they are wrong: %s', async (names, message) => {
    await expect(typesIn(dataset, names)).rejects.toThrow(message);
  });
});

describe('the flag --window', () => {
  it('takes a number and words', () => {
    const read = (text: string) => trainingOptions.window.parse(readFlag(trainingOptions.window, text));
    expect(['256', 'auto', 'off'].map(read)).toEqual([256, 'auto', 'off']);
    for (const text of ['7', '12.5', 'large', '-8', '']) expect(() => read(text)).toThrow();
  });

  it('leaves the fractions of --train-images as they are', () => {
    const read = (text: string) => trainingOptions.trainImages.parse(readFlag(trainingOptions.trainImages, text));
    expect(['6', '1/3', '1/3@2', 'all'].map(read)).toEqual([6, '1/3', '1/3@2', 'all']);
  });
});
