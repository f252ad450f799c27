// Bundles the declarations that tsc wrote. One file holds them all, so that a class with #private members is declared
// once, whichever entry it is taken from; each entry's own files only name its part.
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
// Rollup puts an entry's own module into the entry's file, so each entry gets a module that only names the other.
const partOf = (name) => join(declarations, `entry-${name}.d.ts`);
for (const { name, module } of entries) writeFileSync(partOf(name), `export * from './${module}.js';\n`);
const bundle = await rollup({
  input: Object.fromEntries(entries.map(({ name }) => [name, partOf(name)])),
  plugins: [dts({ tsconfig: false, compilerOptions: { skipLibCheck: true } })],
  external: (name) => !name.startsWith('.') && !name.startsWith('/'),
});
const parts = new Set(entries.map(({ name }) => partOf(name)));
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
  // Rollup does not keep apart what an entry exports as a type only, such as the class that one of its methods returns.
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
