// Bundles the CommonJS entries from the ES modules that tsc wrote. One file holds all of the code, so that a class is
// identical in every entry that exports it. The file of each entry only re-exports its names.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { entriesOf, valuesOf } from './entries.mjs';

/** esbuild would use the whole namespace of this required ES module as its default export, so it is bundled instead. */
const BUNDLED = ['p-map'];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const entries = entriesOf(root);
await build({
  stdin: {
    contents: entries.map(({ name, module }) => `export * as ${name} from './${module}.js';\n`).join(''),
    resolveDir: dist,
  },
  outfile: join(dist, 'all.cjs'),
  bundle: true,
  platform: 'node',
  format: 'cjs',
  external: Object.keys(dependencies).filter((name) => !BUNDLED.includes(name)),
  target: 'node20',
  // CommonJS has no import.meta. The bundle is in the folder of its modules, so its own URL gives the same paths.
  define: { 'import.meta.url': 'importMetaUrl' },
  banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  logLevel: 'warning',
});
for (const { name, module } of entries) {
  const names = await valuesOf(root, module);
  const lines = [
    "'use strict';",
    "Object.defineProperty(exports, '__esModule', { value: true });",
    `const entry = require('./all.cjs').${name};`,
    ...names.map((value) => `exports.${value} = entry.${value};`),
  ];
  writeFileSync(join(dist, `${name}.cjs`), `${lines.join('\n')}\n`);
}
