import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pathInside } from '../../lib/core/path-inside.js';
import { DETECTORS } from '../../lib/detect/kinds.js';
import { makeRows } from '../../lib/evaluate/rows.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();

describe('pathInside', () => {
  it('joins what stays below the folder', () => {
    expect(pathInside('/out', 'test', 'crack', '..b.png')).toBe('/out/test/crack/..b.png');
    expect(pathInside('/out', 'test/../part')).toBe('/out/part');
    expect(pathInside('/', 'x')).toBe('/x');
  });

  it.each([['..'], ['../out2'], ['a', '../..', 'b'], ['/etc/passwd'], ['a/..'], [''], ['.']])(
    'refuses %j',
    (...segments) => {
      expect(() => pathInside('/out', ...segments)).toThrow('Expected a name of a file below /out');
    },
  );
});

describe('makeRows', () => {
  it("takes run's folder of a type called test for what it is", async () => {
    for (const type of ['test', 'part']) {
      const dataset = join(folder, type, 'dataset');
      mkdirSync(join(dataset, 'test', type), { recursive: true });
      writeFileSync(join(dataset, 'test', type, '000000.png'), '');
    }
    const settings = { compare: [], pairs: { ours: folder }, withReal: false, seeds: 1 };
    const [row] = await makeRows(settings, [DETECTORS.unet], ['part', 'test']);
    const types = [...(row?.generated?.[0]?.types ?? [])].map(([type, examples]) => [type, examples.length]);
    expect(types).toEqual([
      ['part', 1],
      ['test', 1],
    ]);
  });
});
