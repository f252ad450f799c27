// The package's entry points, as `exports` in package.json lists them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Each entry with its subpath, the name of its files, and its ES module as a path below dist/ without an ending. */
export function entriesOf(root) {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.entries(exports).flatMap(([subpath, targets]) => {
    if (typeof targets === 'string') return []; // package.json itself
    const name = subpath === '.' ? 'index' : subpath.slice(2);
    const module = /^\.\/dist\/(.+)\.js$/.exec(targets.import.default)?.[1];
    const expected = {
      import: { types: `./typings/${name}.d.ts`, default: `./dist/${module}.js` },
      require: { types: `./typings/${name}.d.cts`, default: `./dist/${name}.cjs` },
    };
    if (JSON.stringify(targets) !== JSON.stringify(expected))
      throw new Error(`package.json: expected ${JSON.stringify(expected)} for the entry ${subpath}`);
    return { subpath, name, module };
  });
}

/** The names of what an entry exports at run time, from its compiled ES module. */
export const valuesOf = async (root, module) =>
  Object.keys(await import(pathToFileURL(join(root, 'dist', `${module}.js`)).href));
