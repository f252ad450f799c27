// Copies the built binaries to prebuilds/linux-x64/, where the package loads them from. prebuildify strips them.
// cmake-js has built them already (`npm run build:native`), so prebuildify gets a staging folder and builds nothing.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import prebuildify from 'prebuildify';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const built = join(root, 'build', 'Release');
if (!existsSync(join(built, 'dualanodiff.node'))) {
  console.error(`${built} lacks dualanodiff.node: run \`npm run build:native\` first`);
  process.exit(1);
}
// A machine without the CUDA compiler can build everything except libdualanodiff_cuda.so. Such a build is for local
// use, and a package must not be made from it.
if (!existsSync(join(built, 'libdualanodiff_cuda.so'))) {
  console.error(`${built} lacks libdualanodiff_cuda.so: run \`npm run build:cuda\` first`);
  process.exit(1);
}
const stage = join(root, 'build', 'prebuild-stage');
rmSync(stage, { recursive: true, force: true });
mkdirSync(stage, { recursive: true });
cpSync(built, join(stage, 'build', 'Release'), { recursive: true });
writeFileSync(join(stage, 'package.json'), '{ "name": "dualanodiff" }\n');
rmSync(join(root, 'prebuilds'), { recursive: true, force: true });
await promisify(prebuildify)({ cwd: stage, out: root, napi: true, strip: true, nodeGyp: 'true', quiet: true });
const folder = join(root, 'prebuilds', `${process.platform}-${process.arch}`);
for (const file of readdirSync(folder)) {
  console.log(`${file}: ${(statSync(join(folder, file)).size / 2 ** 20).toFixed(2)} MiB`);
}
