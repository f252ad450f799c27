import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { scratchFolder } from '../helpers/scratch.js';

const root = join(import.meta.dirname, '..', '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const [, program = ''] = /^```js\n([\s\S]*?)^```$/m.exec(readme) ?? [];

describe('the program of the README', () => {
  const folder = scratchFolder();

  beforeAll(() => {
    mkdirSync(join(folder, 'node_modules', '@types'), { recursive: true });
    symlinkSync(root, join(folder, 'node_modules', 'dualanodiff'));
    symlinkSync(join(root, 'node_modules', '@types', 'node'), join(folder, 'node_modules', '@types', 'node'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  });

  it('has at most 15 lines', () => {
    const lines = program.split('\n').filter((line) => line.trim() !== '');
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.length).toBeLessThanOrEqual(15);
  });

  it('compiles as TypeScript under strict', () => {
    writeFileSync(join(folder, 'program.ts'), program);
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { status, stdout } = spawnSync(process.execPath, [compiler, ...options, 'program.ts'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });

  it('writes four images with their masks', { timeout: 600_000 }, async () => {
    writeFileSync(join(folder, 'program.js'), program);
    const { status, stderr } = spawnSync(process.execPath, ['program.js'], { cwd: folder, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    for (const index of [0, 1, 2, 3]) {
      const image = await sharp(join(folder, `stain-${index}.png`)).metadata();
      const mask = await sharp(join(folder, `stain-${index}-mask.png`)).metadata();
      expect([image.width, image.height, image.channels]).toEqual([64, 64, 3]);
      expect([mask.width, mask.height, mask.channels]).toEqual([64, 64, 1]);
    }
  });
});
