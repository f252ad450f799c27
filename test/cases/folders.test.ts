/** shared/cases: names and folders. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Dataset } from '../../lib/dataset/dataset.js';
import { caseFolder, inCase, lossOf, TILE_LOSS, trainInCase } from '../helpers/cases.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
let runs = 0;
const train = (name: string, ...more: string[]) =>
  trainInCase(name, join(folder, `${runs++}.safetensors`), '--data', 'tile', ...more);

describe('folders from the field', () => {
  it('06-ipynb-checkpoints: is no type', async () => {
    expect((await Dataset.open(join(caseFolder('06-ipynb-checkpoints'), 'tile'))).types).toEqual(['crack']);
    const small = ['--steps', '1', '--batch-size', '1', '--resolution', '64', '--count', '1', '--sample-steps', '2'];
    const out = join(folder, 'run');
    const { code, stdout } = await inCase('06-ipynb-checkpoints', [
      'run',
      '--data',
      'tile',
      ...small,
      '--out',
      out,
      '--json',
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).types).toHaveLength(1);
    expect(readdirSync(out).sort()).toEqual(['crack', 'summary.json']);
  });

  it('07-appledouble: are no images', async () => {
    expect(lossOf(await train('07-appledouble'))).toBeCloseTo(TILE_LOSS, 6);
  });

  it('10-same-stem: names both', async () => {
    const { code, stderr } = await train('10-same-stem');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .*crack\/000\.jpg and .*crack\/000\.png would share the mask 000_mask\.png/);
    expect(stderr).toContain('ERR_DATASET_INVALID');
  });

  it('22-nfd-names: compare as they are composed', async () => {
    expect(lossOf(await train('22-nfd-names', '--type', 'Schräge'.normalize('NFC')))).toBeCloseTo(TILE_LOSS, 6);
    expect(lossOf(await train('22-nfd-names', '--data', 'tile2'))).toBeCloseTo(TILE_LOSS, 6);
  });

  it('91-no-good: good images lie in a folder, or are asked for', async () => {
    const subfolder = await Dataset.open(join(caseFolder('91-no-good'), 'subfolder'));
    expect(await subfolder.goodImages()).toHaveLength(3);
    const job = ['--data', 'none', '--steps', '1', '--batch-size', '1', '--resolution', '64', '--count', '1'];
    for (const more of [
      ['--vary', '0.3', '--scheduler', 'ddim'],
      ['--background', 'add', '--foreground-masks', 'none'],
    ]) {
      const out = join(folder, 'none');
      const { code, stderr } = await inCase('91-no-good', [
        'run',
        ...job,
        ...more,
        '--sample-steps',
        '2',
        '--out',
        out,
      ]);
      expect(code).toBe(1);
      expect(stderr).toContain(
        `There are no good images: expected some in ${join(caseFolder('91-no-good'), 'none/train/good')}`,
      );
    }
  });
});
