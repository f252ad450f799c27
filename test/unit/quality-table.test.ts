import { describe, expect, it } from 'vitest';
import { measuredSets, type Quality, spread } from '../../lib/evaluate/quality.js';
import { qualityCells, qualityHeader, qualityTable } from '../../lib/evaluate/quality-table.js';

const unknown = {
  ...{ features: undefined, inceptionScore: undefined, kid: undefined, nearest: undefined, nearestReal: undefined },
};
const measured: Quality = {
  ...{ row: 'place', type: 'crack', images: 150, real: 6, features: 'mobilenet-v2' },
  ...{ inceptionScore: 1.5, kid: -0.00042, nearest: 0.125, nearestReal: 0.25, copies: 0.4, icLpips: undefined },
};

describe('the measured images', () => {
  it('are spread over all that were generated if these are too many', () => {
    const items = Array.from({ length: 10 }, (_, i) => i);
    expect(spread(items, 4)).toEqual([0, 2, 5, 7]);
    expect(spread(items, 10)).toEqual(items);
    expect(spread(items, 1000)).toEqual(items);
    expect(spread([], 4)).toEqual([]);
  });
});

describe('the generated sets of a row', () => {
  const set = (folder: string) => ({ folder, types: new Map() });
  const generated = ['1a', '1b', '4a', '4b'].map(set);

  it('are measured together', () => {
    expect(measuredSets({ name: 'place', generated }, undefined)).toEqual([
      { row: 'place', shots: undefined, sets: generated },
    ]);
  });

  it('are measured for each number of photographs that they were made from', () => {
    const measured = measuredSets({ name: 'place', generated }, [1, 4]);
    expect(measured.map(({ shots, sets }) => [shots, sets.map(({ folder }) => folder)])).toEqual([
      [1, ['1a', '1b']],
      [4, ['4a', '4b']],
    ]);
  });
});

describe('the table of generated images', () => {
  it('has a line for each number of photographs', () => {
    const [table = ''] = qualityTable([1, 4].map((shots) => ({ ...measured, shots })));
    const [header, , first, second] = table.split('\n');
    expect(header).toMatch(/^\| type \| shots \| generated \|/);
    expect(first).toMatch(/^\| crack \| 1 \| place \|/);
    expect(second).toMatch(/^\| crack \| 4 \| place \|/);
  });

  it('has a cell for each measure, and tells what was not measured', () => {
    const [table = ''] = qualityTable([measured, { ...measured, type: 'stain', copies: null, nearestReal: null }]);
    const lines = table.trim().split('\n');
    expect(lines[0]).toBe(`| ${qualityHeader([measured]).join(' | ')} |`);
    expect(lines[2]).toBe('| crack | place | mobilenet-v2 | 150 | -0.0004 | 0.125 | 0.250 | 40 % | 1.500 | - |');
    expect(lines[3]).toContain('| 0.125 | - | - | 1.500 | - |');
    for (const line of lines) expect(line.split('|')).toHaveLength(qualityHeader([measured]).length + 2);
  });

  it('is missing where nothing was measured', () => {
    expect(qualityTable([])).toEqual([]);
    expect(qualityCells({ ...measured, ...unknown, copies: undefined })).toEqual(['150', ...Array(6).fill('-')]);
  });
});
