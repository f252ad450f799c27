// Compiles the code that runs in browsers: the modules of the pages, and the script of reports, which are single files.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
for (const page of ['report', 'review', 'service']) {
  const args = [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(root, 'lib', page, 'page')];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) process.exit(1);
}
await build({
  entryPoints: [join(root, 'lib', 'report', 'page', 'main.ts')],
  outfile: join(root, 'dist', 'report', 'pairs.js'),
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2022',
  logLevel: 'warning',
});
