// clang-format over native/: checks, or with --write formats. Generated tables are left alone.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const files = readdirSync('native', { recursive: true })
  .filter((name) => /\.(h|cpp|cu|cuh)$/.test(name) && !name.endsWith('unicode_tables.cpp'))
  .map((name) => join('native', name));
if (files.length === 0) throw new Error('no native file was found');
const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '-Werror'];
const { status, error } = spawnSync('clang-format', [...mode, ...files], { stdio: 'inherit' });
if (error) {
  console.error('clang-format was not found. On Debian and Ubuntu: apt-get install clang-format');
  process.exit(1);
}
console.log(`clang-format: ${files.length} files`);
process.exit(status ?? 1);
