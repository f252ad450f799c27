import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli } from '../helpers/cli.js';
import { writeCategory } from '../helpers/dataset.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const data = join(folder, 'parts');
const out = join(folder, 'out');
const SMALL = ['--steps', '1', '--batch-size', '1', '--count', '1', '--sample-steps', '2', '--resolution', '32'];
const run = (...more: string[]) => cli(['run', '--data', data, '--out', out, ...SMALL, '--mask', 'threshold', ...more]);
const summary = () => JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'));

describe('run on a folder of categories', () => {
  it('goes on past a type that fails, and says so at the end', async () => {
    await writeCategory(join(data, 'plate'), 'dent', 4);
    await writeCategory(join(data, 'plate'), 'pit', 4);
    await writeCategory(join(data, 'wheel'), 'crack', 4);
    rmSync(join(data, 'plate', 'ground_truth', 'dent', '000_mask.png'));
    const { code, stderr, stdout } = await run();
    expect(code).toBe(1);
    expect(stderr).toContain('plate dent: ');
    expect(stdout).toContain('plate dent failed: ');
    const { types, failures } = summary();
    expect(types.map(({ category, type }: Record<string, string>) => `${category}/${type}`)).toEqual([
      'plate/pit',
      'wheel/crack',
    ]);
    expect(failures).toMatchObject([{ category: 'plate', type: 'dent', code: 'ERR_DATASET_INVALID' }]);
    expect(existsSync(join(out, 'wheel', 'crack', 'dataset', 'test', 'crack', '000000.png'))).toBe(true);
  });

  it('does only what is missing when it is run again', async () => {
    await writeCategory(join(data, 'plate'), 'dent', 4); // mended
    const adapter = join(out, 'wheel', 'crack', 'adapter.safetensors');
    const before = readFileSync(adapter);
    const picture = join(out, 'wheel', 'crack', 'dataset', 'test', 'crack', '000000.png');
    const drawn = statSync(picture).mtimeMs;
    const { code } = await run('--resume');
    expect(code).toBe(0);
    expect(summary().types).toHaveLength(3);
    expect(summary().failures).toEqual([]);
    expect(statSync(picture).mtimeMs).toBe(drawn);
    expect(readFileSync(adapter).equals(before)).toBe(true);
  });

  it('names what is missing in a folder that holds no category', async () => {
    const { code, stderr } = await cli(['run', '--data', join(data, 'plate', 'test'), ...SMALL]);
    expect(code).toBe(1);
    expect(stderr).toContain("is not a category in MVTec AD's layout");
  });
});
