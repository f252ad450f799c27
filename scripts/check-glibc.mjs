// Prints the oldest glibc and libstdc++ that the prebuilt binaries run on, from their symbol versions. Fails if they
// need newer versions than the README states.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isOlder, REQUIRED } from '../lib/core/platform.js';

/** The versions that both Debian 12 and Ubuntu 22.04 have. */
const PROMISED = { GLIBC: REQUIRED.glibc, GLIBCXX: REQUIRED.glibcxx, CXXABI: '1.3.13' };
const folder = join('prebuilds', 'linux-x64');

const required = {};
let files = 0;
for (const file of readdirSync(folder)) {
  const { stdout, status } = spawnSync('objdump', ['-T', join(folder, file)], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`objdump cannot read ${file}`);
  files++;
  for (const [, library, version] of stdout.matchAll(/\(?(GLIBC|GLIBCXX|CXXABI)_([\d.]+)\)?/g)) {
    if (!required[library] || isOlder(required[library], version)) required[library] = version;
  }
}
let failed = files === 0;
for (const [library, promised] of Object.entries(PROMISED)) {
  const tooNew = isOlder(promised, required[library] ?? '0');
  failed ||= tooNew;
  console.log(`${library}: needs ${required[library] ?? 'nothing'}, promised ${promised}${tooNew ? ' — too new' : ''}`);
}
process.exit(failed ? 1 : 0);
