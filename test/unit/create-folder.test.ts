import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFolder } from '../../lib/core/files.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();

describe('createFolder', () => {
  it('creates the missing folders above, and returns the outermost new one', async () => {
    expect(await createFolder(join(folder, 'a', 'b', 'c'))).toBe(join(folder, 'a'));
    expect(await createFolder(join(folder, 'a', 'b', 'd'))).toBe(join(folder, 'a', 'b', 'd'));
    expect(await createFolder(join(folder, 'a', 'b'))).toBeUndefined();
  });

  it('lets several writers create folders below the same missing ones at once', async () => {
    for (let round = 0; round < 20; round++) {
      const places = Array.from({ length: 8 }, (_, i) =>
        join(folder, `round-${round}`, 'maps', `run-${i % 4}`, `${i}`),
      );
      await Promise.all(places.map(createFolder));
      expect(places.every((place) => existsSync(place))).toBe(true);
    }
  });

  it('ends where a folder is refused', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(createFolder(join(folder, 'file', 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(createFolder(join(folder, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(createFolder('/proc/nope/below')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
