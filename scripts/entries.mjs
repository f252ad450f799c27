// Reads the package's entry points from `exports` in package.json.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Returns for each entry its subpath, the name of its files, and the path of its ES module below dist/, without an
 * ending.
 * Throws if package.json names other files for an entry.
 */
export function entriesOf(root) {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.entries(exports).flatMap(([subpath, targets]) => {
    if (typeof targets === 'string') return []; // This is the entry of package.json itself.
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

/** Returns the names of the values, not the types, that an entry exports, from its compiled ES module. */
export const valuesOf = async (root, module) =>
  Object.keys(await import(pathToFileURL(join(root, 'dist', `${module}.js`)).href));
