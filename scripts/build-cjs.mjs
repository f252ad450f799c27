// Bundles the CommonJS entry from the ES modules that tsc wrote, and its declarations' entry.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
await build({
  entryPoints: [join(root, 'dist', 'index.js')],
  outfile: join(root, 'dist', 'index.cjs'),
  bundle: true,
  platform: 'node',
  format: 'cjs',
  packages: 'external',
  target: 'node20',
  // CommonJS has no import.meta; the bundle lies in the same folder as the entry it is made of.
  define: { 'import.meta.url': 'importMetaUrl' },
  banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  logLevel: 'warning',
});
writeFileSync(
  join(root, 'typings', 'index.d.cts'),
  "export * from './index.js' with { 'resolution-mode': 'import' };\n",
);
