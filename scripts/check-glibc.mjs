// Prints the oldest glibc and libstdc++ that the prebuilt binaries run on, from their symbol versions. Fails if they
// need newer versions than the README states, or another shared library.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isOlder, REQUIRED } from '../lib/core/platform.js';

/** The versions that both Debian 12 and Ubuntu 22.04 have. */
const PROMISED = { GLIBC: REQUIRED.glibc, GLIBCXX: REQUIRED.glibcxx, CXXABI: '1.3.13' };
/** The libraries that every system with glibc has, and those that libtorch includes, with CUDA's runtime. */
const LIBRARIES =
  /^(lib(c|m|dl|pthread|rt|stdc\+\+|gcc_s)\.so\.\d+|ld-linux-x86-64\.so\.2|lib(torch|torch_cpu|torch_cuda|c10|c10_cuda|cudart)\.so(\.\d+)?)$/;
const folder = join('prebuilds', 'linux-x64');

const required = {};
const foreign = [];
let files = 0;
for (const file of readdirSync(folder)) {
  const { stdout, status } = spawnSync('objdump', ['-p', '-T', join(folder, file)], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`objdump cannot read ${file}`);
  files++;
  for (const [, library] of stdout.matchAll(/^ +NEEDED +(\S+)$/gm)) {
    if (!LIBRARIES.test(library)) foreign.push(`${file} needs ${library}`);
  }
  for (const [, library, version] of stdout.matchAll(/\(?(GLIBC|GLIBCXX|CXXABI)_([\d.]+)\)?/g)) {
    if (!required[library] || isOlder(required[library], version)) required[library] = version;
  }
}
for (const problem of foreign) console.log(problem);
let failed = files === 0 || foreign.length > 0;
for (const [library, promised] of Object.entries(PROMISED)) {
  const tooNew = isOlder(promised, required[library] ?? '0');
  failed ||= tooNew;
  console.log(`${library}: needs ${required[library] ?? 'nothing'}, promised ${promised}${tooNew ? ' — too new' : ''}`);
}
process.exit(failed ? 1 : 0);
