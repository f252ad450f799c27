import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const script = join(import.meta.dirname, '../../scripts/check-layers.mjs');

/** Returns what the script says of a tree with these files. */
function check(name: string, files: Record<string, string>) {
  const root = join(folder, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' });
  return { status, problems: stderr.split('\n').filter((line) => line !== '') };
}

/** A tree in which nothing is wrong. */
const good = {
  'lib/index.ts': "export { open } from './dataset/dataset.js';\nexport type { Part } from './core/part.js';\n",
  'lib/native.ts': "import { createRequire } from 'node:module';\nimport { Part } from './core/part.js';\n",
  'lib/dataset/dataset.ts': "import sharp from 'sharp';\nimport {\n  type Part,\n} from '../core/part.js';\n",
  'lib/core/part.ts': '// import nothing from this: "../dataset/dataset.js"\nexport interface Part {}\n',
};

describe('the check of the layers', () => {
  it('finds nothing in a tree whose files import only what is below them', () => {
    expect(check('good', good)).toEqual({ status: 0, problems: [] });
  });

  it('finds an import of a layer above, of types too', () => {
    for (const [name, line] of Object.entries({
      values: "import { open } from '../dataset/dataset.js';",
      types: "import type { open } from '../dataset/dataset.js';",
      'exported again': "export * from '../dataset/dataset.js';",
      'on several lines': "import {\n  open,\n} from '../dataset/dataset.js';",
      dynamic: "const { open } = await import('../dataset/dataset.js');",
    })) {
      expect(check(`upward ${name}`, { ...good, 'lib/options/all.ts': line }), name).toEqual({
        status: 1,
        problems: ['lib/options/all.ts (options) imports lib/dataset/dataset.ts (dataset), a layer above it'],
      });
    }
  });

  it('finds a circle of files within a layer, and names all of them', () => {
    const circle = check('circle', {
      ...good,
      'lib/core/a.ts': "import type { B } from './b.js';",
      'lib/core/b.ts': "export { c } from './c.js';",
      'lib/core/c.ts': "import './a.js';",
      'lib/core/outside.ts': "import './a.js';",
    });
    expect(circle.status).toBe(1);
    expect(circle.problems).toEqual([expect.stringMatching(/^These files import each other in a circle: /)]);
    for (const name of ['a', 'b', 'c']) expect(circle.problems[0]).toContain(`lib/core/${name}.ts`);
    expect(circle.problems[0]).not.toContain('outside');
  });

  it.each([
    ['a folder that is in no layer', 'lib/misc/a.ts', '', /^lib\/misc\/a\.ts is in no layer/],
    ['a file beside the folders that is in no layer', 'lib/misc.ts', '', /^lib\/misc\.ts is in no layer/],
    ["a package of another layer's", 'lib/core/a.ts', "import { Command } from 'commander';", /imports commander/],
    ['an import of what is for users', 'lib/cli/a.ts', "import { open } from '../index.js';", /which is for users/],
    ['a second file that loads native code', 'lib/model/a.ts', 'createRequire(import.meta.url);', /loads native code/],
    ['a folder of native/ that is in no layer', 'native/misc/a.cpp', '', /^native\/misc is in no layer/],
    ['an include of a layer above', 'native/core/a.h', '#include "nn/b.h"', /native\/core\/a\.h includes nn\/b\.h$/],
  ])('finds %s', (name, path, text, message) => {
    const { status, problems } = check(name.replaceAll('/', ' '), { ...good, [path]: text });
    expect(problems).toEqual([expect.stringMatching(message)]);
    expect(status).toBe(1);
  });

  it('fails where there is nothing to check', () => {
    expect(check('empty', { 'lib/notes.md': '' })).toEqual({ status: 1, problems: ['no file was checked'] });
  });
});
