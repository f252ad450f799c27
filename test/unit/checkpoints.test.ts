import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeFileAtomic } from '../../lib/core/files.js';
import { RunFiles } from '../../lib/model/checkpoints.js';
import { requireSameSettings } from '../../lib/model/resume.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();

describe('RunFiles', () => {
  it('finds the newest checkpoint and keeps two', async () => {
    const files = new RunFiles(join(folder, 'crack.safetensors'));
    for (const step of [5, 20, 100]) writeFileSync(files.checkpoint(step), '');
    writeFileSync(join(folder, 'crack.checkpoint-000999.safetensors.partial-1'), 'torn');
    writeFileSync(join(folder, 'other.checkpoint-000500.safetensors'), '');
    expect((await files.checkpoints()).map(({ step }) => step)).toEqual([100, 20, 5]);
    await files.prune();
    expect((await files.checkpoints()).map(({ step }) => step)).toEqual([100, 20]);
    await files.removeCheckpoints();
    expect(readdirSync(folder)).toEqual(['other.checkpoint-000500.safetensors']);
  });

  it('drops the lines of lost and torn steps', async () => {
    const files = new RunFiles(join(folder, 'log.safetensors'));
    const lines = [1, 2, 3].map((step) => `{"step":${step},"loss":0.5}\n`);
    writeFileSync(files.log, `${lines.join('')}{"st`);
    await files.rewindLog(2);
    expect(readFileSync(files.log, 'utf8')).toBe(lines.slice(0, 2).join(''));
  });

  it('names the line of its log that is damaged', async () => {
    const files = new RunFiles(join(folder, 'damaged.safetensors'));
    writeFileSync(files.log, '{"step":1,"loss":0.5}\n{"st\n{"step":3,"loss":0.5}\n');
    await expect(files.rewindLog(3)).rejects.toThrow(`${files.log}: line 2 is not valid JSON`);
  });

  it('leaves alone what a neighbour is writing, though its name begins alike', async () => {
    const own = [
      'a.safetensors.partial-1',
      'a.checkpoint-000005.safetensors.partial-1',
      'a.safetensors.jsonl.partial-1-2',
    ];
    const others = ['a.b.safetensors.partial-1', 'a.partial-1', 'a.safetensors.lock-1-0123abcd.partial-1'];
    const place = join(folder, 'neighbours');
    mkdirSync(place);
    for (const name of [...own, ...others]) writeFileSync(join(place, name), '');
    await new RunFiles(join(place, 'a.safetensors')).removePartial();
    expect(readdirSync(place).sort()).toEqual(others.sort());
  });

  it('names every setting that differs', () => {
    const wanted = { rank: '4', seed: '1', type: 'crack' };
    const beside = { steps: '3', lora_scale: '1', _note: 'mine' };
    expect(() => requireSameSettings('f', { rank: '4', seed: '1', type: 'crack', ...beside }, wanted)).not.toThrow();
    expect(() => requireSameSettings('f', { rank: '4', seed: '1', type: 'crack', more: 'x' }, wanted)).toThrow(
      'more was x, is now not known',
    );
    expect(() => requireSameSettings('f', { rank: '8', type: 'crack' }, wanted)).toThrow(
      'rank was 8, is now 4; seed was not set, is now 1',
    );
  });

  it('compares notes that both the run and its file have', () => {
    const now = { rank: '4', _foreground: 'u2net' };
    expect(() => requireSameSettings('f', { rank: '4' }, now)).not.toThrow();
    expect(() => requireSameSettings('f', { rank: '4', _other: 'x', _foreground: 'u2net' }, now)).not.toThrow();
    expect(() => requireSameSettings('f', { rank: '4', _foreground: 'embedded' }, now)).toThrow(
      '_foreground was embedded, is now u2net',
    );
  });
});

describe('writeFileAtomic', () => {
  it('names the path and leaves nothing where it cannot write', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(writeFileAtomic(join(folder, 'file', 'below'), 'x')).rejects.toMatchObject({
      code: 'ERR_FILE_ACCESS',
    });
    await expect(writeFileAtomic('/dev/full/x', 'x')).rejects.toThrow('/dev/full/x');
  });
});
