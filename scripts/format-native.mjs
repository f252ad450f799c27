// Usage: node scripts/format-native.mjs [--write]
// Checks the format of native/ with clang-format. With --write, formats the files. Versions of clang-format give
// different results, so only one version is accepted.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const VERSION = '14';
const command = [`clang-format-${VERSION}`, 'clang-format'].find((name) =>
  spawnSync(name, ['--version'], { encoding: 'utf8' }).stdout?.includes(`version ${VERSION}.`),
);
if (command === undefined) {
  console.error(
    `clang-format ${VERSION} was not found. On Debian 12 and Ubuntu: apt-get install clang-format-${VERSION}`,
  );
  process.exit(1);
}
const files = readdirSync('native', { recursive: true })
  .filter((name) => /\.(h|cpp|cu|cuh)$/.test(name))
  .map((name) => join('native', name));
if (files.length === 0) throw new Error('no native file was found');
const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '-Werror'];
const { status } = spawnSync(command, [...mode, ...files], { stdio: 'inherit' });
console.log(`clang-format: ${files.length} files`);
process.exit(status ?? 1);
