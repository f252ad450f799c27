// Prints the oldest glibc and libstdc++ that the prebuilt binaries run on, read off their symbol versions, and fails
// where that is newer than what the README promises.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isOlder, REQUIRED } from '../lib/core/platform.js';

/** What Debian 12 and Ubuntu 22.04 have. */
const PROMISED = { GLIBC: REQUIRED.glibc, GLIBCXX: REQUIRED.glibcxx, CXXABI: '1.3.13' };
const folder = join('prebuilds', 'linux-x64');

const floor = {};
let files = 0;
for (const file of readdirSync(folder)) {
  const { stdout, status } = spawnSync('objdump', ['-T', join(folder, file)], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`objdump cannot read ${file}`);
  files++;
  for (const [, library, version] of stdout.matchAll(/\(?(GLIBC|GLIBCXX|CXXABI)_([\d.]+)\)?/g)) {
    if (!floor[library] || isOlder(floor[library], version)) floor[library] = version;
  }
}
let failed = files === 0;
for (const [library, promised] of Object.entries(PROMISED)) {
  const tooNew = isOlder(promised, floor[library] ?? '0');
  failed ||= tooNew;
  console.log(`${library}: needs ${floor[library] ?? 'nothing'}, promised ${promised}${tooNew ? ' — too new' : ''}`);
}
process.exit(failed ? 1 : 0);
