import { describe, expect, it } from 'vitest';
import type { DatasetImage } from '../../lib/dataset/dataset-images.js';
import { fileNamesOf } from '../../lib/dataset/formats/file-names.js';

describe('fileNamesOf', () => {
  const named = (group: string, image: string): DatasetImage => ({
    ...{ image, source: image, origin: 'test', group },
    defects: [{ type: group, mask: 'mask.png' }],
  });

  it('never returns two names that a file system could take for one', () => {
    const images = [
      named('crack', 'a/000.png'),
      named('crack', 'b/000.png'),
      named('Crack', 'c/000.png'),
      named('crack', 'd/000-2.png'),
      named('crack_000-2', 'e/x.png'),
      named('a_b', 'c.png'),
      named('a', 'b_c.png'),
      named('a:b', 'c.png'),
      named('e', '\u0065\u0301.png'),
      named('e', '\u00e9.png'),
    ];
    const names = fileNamesOf(images);
    expect(new Set(names.map((name) => name.normalize('NFC').toLowerCase())).size).toBe(images.length);
    expect(names.slice(0, 3)).toEqual(['crack_000', 'crack_000-2', 'Crack_000-3']);
    for (const name of names) expect(name).not.toMatch(/[<>:"/\\|?*]/);
  });

  it('do not grow when an export is exported', () => {
    expect(fileNamesOf([named('crack', 'crack_000.png'), named('crack', 'crack.png')])).toEqual([
      'crack_000',
      'crack_crack',
    ]);
  });

  it('shortens names at a whole character, and still tells them apart', () => {
    const long = '\u{1F50D}'.repeat(60);
    const names = fileNamesOf([named(long, 'a.png'), named(long, 'b.png')]);
    expect(new Set(names).size).toBe(2);
    for (const name of names) {
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(210);
      expect(name.isWellFormed()).toBe(true);
    }
  });
});
