// Usage: node scripts/check-layers.mjs [ROOT]
// Checks the layers of the source code. A folder of native/ may include only itself and the folders that are listed for
// it below. Only the binding and the loader may include napi.h. lib-layers.mjs checks lib/.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkLib } from './lib-layers.mjs';

const root = process.argv[2] ?? '.';

/** Each constant lists a folder and all folders that it may include. */
const CORE = ['core'];
const IO = ['io', ...CORE];
const OPS = ['ops', ...CORE];
const NN = ['nn', ...OPS];
const MODEL = ['model', 'diffusion', ...NN, ...IO];
const DUAL = ['dual', ...MODEL];
const DETECT = ['augment', 'train', 'metrics', ...DUAL];
const PLACE = ['sample', 'mask', 'augment', ...DUAL];
const ENGINE = ['detect', 'train', 'metrics', 'place', ...PLACE];
const layers = {
  core: [],
  augment: CORE,
  io: CORE,
  ops: CORE,
  nn: OPS,
  diffusion: CORE,
  model: MODEL,
  dual: MODEL,
  train: DUAL,
  sample: DUAL,
  mask: DUAL,
  place: PLACE,
  metrics: DUAL,
  detect: DETECT,
  binding: ENGINE,
  bench: ENGINE,
  golden: [...ENGINE, 'tests'], // for the stand-in device
  pretrain: ENGINE,
  tests: [...ENGINE, 'pretrain'],
  fuzz: MODEL,
  cuda: [...OPS, 'tests'], // The tests of the CUDA kernels use the test framework of tests/.
  loader: CORE,
};

const problems = [];
let checked = 0;
const native = join(root, 'native');
const inNative = existsSync(native) ? readdirSync(native, { withFileTypes: true }) : [];
const folders = inNative.filter((entry) => entry.isDirectory());
for (const { name } of folders) {
  const allowed = layers[name];
  if (!allowed) {
    problems.push(`native/${name} is in no layer: add it to scripts/check-layers.mjs`);
    continue;
  }
  const entries = readdirSync(join(native, name), { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((found) => found.isFile())) {
    const path = join(entry.parentPath, entry.name);
    checked++;
    for (const [, include] of readFileSync(path, 'utf8').matchAll(/^#include ["<]([^">]+)[">]/gm)) {
      const target = include.includes('/') ? include.split('/')[0] : '';
      if (target in layers && target !== name && !allowed.includes(target))
        problems.push(`${path} includes ${include}`);
      if (/^(napi|node_api)\.h$/.test(include) && name !== 'binding' && name !== 'loader')
        problems.push(`${path} includes ${include}`);
    }
  }
}
const lib = checkLib(root);
checked += lib.checked;
problems.push(...lib.problems);
if (checked === 0) problems.push('no file was checked');
for (const problem of problems) console.error(problem);
console.log(`layers: ${checked} files, ${problems.length} problems`);
process.exit(problems.length > 0 ? 1 : 0);
