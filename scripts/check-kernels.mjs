// Checks that the CPU kernels' objects (native/ops/cpu) share no function with other objects. The linker keeps only one
// copy of a shared function. If it kept the copy for AVX-512, older CPUs would crash.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(
  dirname(dirname(fileURLToPath(import.meta.url))),
  ...['build', 'CMakeFiles', 'engine.dir', 'native', 'ops', 'cpu'],
);
const objects = readdirSync(folder).filter((name) => /^(avx\w+|amx)\.cpp\.o$/.test(name));
if (objects.length < 4) throw new Error(`Expected the kernels' objects in ${folder} but found ${objects.length}`);
for (const object of objects) {
  const symbols = execFileSync('nm', ['-C', join(folder, object)], { encoding: 'utf8' });
  const shared = symbols.split('\n').filter((line) => /^\w* +[WwVvu] /.test(line));
  if (shared.length > 0) throw new Error(`${object} shares functions with other files:\n${shared.join('\n')}`);
}
