// Puts the built binaries where the package is loaded from: prebuilds/linux-x64/, stripped, by prebuildify. The build
// itself is cmake-js's (`npm run build:native`), so prebuildify is given a stage to take from and nothing to build.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import prebuildify from 'prebuildify';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const built = join(root, 'build', 'Release');
if (!existsSync(join(built, 'dualanodiff.node'))) {
  console.error(`There is nothing in ${built}: run \`npm run build:native\` first`);
  process.exit(1);
}
// libdualanodiff_cuda.so needs CUDA's compiler, so a machine without its wheels can build everything but that. Such a
// build serves whoever made it; it is not what a package is made of.
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
