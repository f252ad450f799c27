// Bundles the declarations that tsc wrote. One file holds all of them, because TypeScript treats two declarations of a
// class with #private members as different types. The files of each entry only re-export its names.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { entriesOf, valuesOf } from './entries.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const typings = join(root, 'typings');
const declarations = join(root, 'dist', 'declarations');
const entries = entriesOf(root);
// Rollup puts the code of an entry module into the entry's file, so each entry gets a module that only re-exports it.
const entryModuleOf = (name) => join(declarations, `entry-${name}.d.ts`);
for (const { name, module } of entries) writeFileSync(entryModuleOf(name), `export * from './${module}.js';\n`);
const bundle = await rollup({
  input: Object.fromEntries(entries.map(({ name }) => [name, entryModuleOf(name)])),
  plugins: [dts({ tsconfig: false, compilerOptions: { skipLibCheck: true } })],
  external: (name) => !name.startsWith('.') && !name.startsWith('/'),
});
const parts = new Set(entries.map(({ name }) => entryModuleOf(name)));
const { output } = await bundle.generate({
  format: 'es',
  entryFileNames: '[name].d.ts',
  chunkFileNames: '[name].d.ts',
  manualChunks: (module) => (parts.has(module) ? undefined : 'all'),
  minifyInternalExports: false,
  hoistTransitiveImports: false,
});
await bundle.close();
mkdirSync(typings, { recursive: true });
for (const old of readdirSync(typings)) rmSync(join(typings, old), { recursive: true });
const codeOf = (file) => output.find(({ fileName }) => fileName === file).code;
writeFileSync(join(typings, 'all.d.ts'), codeOf('all.d.ts'));
for (const { name, module } of entries) {
  const values = await valuesOf(root, module);
  const names = /^export \{ (.*) \} from '\.\/all\.js';\n$/.exec(codeOf(`${name}.d.ts`))?.[1].split(', ');
  if (names === undefined) throw new Error(`The declarations of ${name} hold more than names`);
  // Rollup does not mark exports that are types only, such as a class that a method returns.
  const [own, types] = [true, false].map((isValue) =>
    names.filter((part) => values.includes(part.replace(/^.* as /, '')) === isValue),
  );
  if (own.length !== values.length) throw new Error(`The declarations of ${name} lack one of ${values.join(', ')}`);
  const lines = [
    `export { ${own.join(', ')} } from './all.js';`,
    `export type { ${types.join(', ')} } from './all.js';`,
  ];
  writeFileSync(join(typings, `${name}.d.ts`), `${lines.slice(0, types.length > 0 ? 2 : 1).join('\n')}\n`);
  const text = `export * from './${name}.js' with { 'resolution-mode': 'import' };\n`;
  writeFileSync(join(typings, `${name}.d.cts`), text);
}
