import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli } from '../helpers/cli.js';
import { writeCategory } from '../helpers/dataset.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();

describe('the commands check and export', () => {
  it('say what is there, and write it', async () => {
    const [data, out] = [join(folder, 'tile'), join(folder, 'coco')];
    await writeCategory(data, 'crack', 3);
    const checked = await cli(['check', '--data', data, '--json']);
    expect(checked.code).toBe(0);
    expect(JSON.parse(checked.stdout)).toMatchObject({
      categories: [{ category: 'tile', types: [{ type: 'crack', images: 3 }] }],
      problems: 0,
    });
    const exported = await cli(['export', '--data', data, '--format', 'coco', '--out', out]);
    expect(exported).toMatchObject({ code: 0, stdout: `3 images (3 crack), 0 of them generated, as coco in ${out}\n` });
    expect(readdirSync(out).sort()).toEqual(['annotations', 'files.jsonl', 'images']);
  });

  it('fail with the same words', async () => {
    const [data, out] = [join(folder, 'broken'), join(folder, 'yolo')];
    await writeCategory(data, 'crack', 2);
    rmSync(join(data, 'ground_truth', 'crack', '001_mask.png'));
    const checked = await cli(['check', '--data', data, '--json']);
    const exported = await cli(['export', '--data', data, '--format', 'yolo', '--out', out, '--json']);
    expect([checked.code, exported.code]).toEqual([1, 1]);
    const [problem] = JSON.parse(checked.stdout).categories[0].problems;
    expect(JSON.parse(exported.stdout).error).toEqual(problem);
    expect(existsSync(out)).toBe(false);
  });

  it('leave nothing behind when they are interrupted', async () => {
    const [data, out] = [join(folder, 'many'), join(folder, 'masks')];
    await writeCategory(data, 'crack', 24);
    const kill = { signal: 'SIGINT', when: /"stage":"export"/ } as const;
    const args = ['export', '--data', data, '--format', 'masks', '--out', out, '--progress', 'json'];
    expect((await cli(args, { kill })).code).toBe(130);
    expect(existsSync(out)).toBe(false);
  });
});
