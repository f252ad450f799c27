// Checks the layers of lib/: which folder may import which, which packages belong to one layer, and that no files
// import each other in a circle. Imports of types count as well, because a reader of a file has to follow them too.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';

/** The layers from top to bottom. A layer may import only itself and the layers below it. */
const LAYERS = [
  ...['cli', 'service', 'review', 'worker', 'queue', 'store'],
  ...['jobs', 'report', 'components', 'evaluate', 'detect', 'recipes', 'model', 'dataset'],
  ...['engine', 'weights', 'libtorch', 'wheels', 'options', 'core'],
];
/** Matches the files directly in lib/ that belong to the layer "engine". */
const ENGINE = /^(native|addon-types[\w-]*|run-native|profile|pool)\.ts$/;
/** The entry points for users. They may import anything, and no other file may import them. */
const ENTRIES = ['index.ts', 'errors.ts', 'tensors.ts'];
/** The file that loads native code, and the file that searches for it. */
const NATIVE = ['native.ts', join('core', 'binary.ts')];
/** Each package may be imported by the listed layers only. */
const PACKAGES = {
  commander: ['cli'],
  'cli-progress': ['cli'],
  bullmq: ['queue', 'worker'],
  ioredis: ['queue', 'worker'],
  '@aws-sdk/client-s3': ['store'],
  '@aws-sdk/lib-storage': ['store'],
  yauzl: ['wheels', 'service'],
  tar: ['service'],
  saxes: ['dataset'],
  preact: ['components', 'report', 'review', 'service'],
  'preact-render-to-string': ['report'],
  'htm/preact': ['components'],
  fastify: ['review', 'service'],
  '@fastify/rate-limit': ['service'],
  '@fastify/swagger': ['service'],
  'prom-client': ['service'],
  sharp: ['dataset', 'core'],
};

/** Returns the relative paths and package names that a file imports, including imports of types. */
function importsOf(text) {
  const statements = text.matchAll(
    /^(?:import|export)\b[^;'"]*?\bfrom\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]/gm,
  );
  const expressions = text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g);
  return [...statements, ...expressions].map(([, from, bare]) => from ?? bare);
}

/** Returns the layer of a file from its path below lib/. Returns undefined if it belongs to none. */
function layerOf(file) {
  const [folder] = file.split(sep);
  if (folder === 'addon-types') return 'engine';
  if (folder !== file) return LAYERS.includes(folder) && folder !== 'engine' ? folder : undefined;
  if (ENTRIES.includes(file)) return 'entry';
  return ENGINE.test(file) ? 'engine' : undefined;
}

/** Returns each group of files that import each other, directly or indirectly. */
function circlesOf(graph) {
  const order = new Map();
  const lowest = new Map();
  const open = [];
  const circles = [];
  // This is Tarjan's algorithm for strongly connected components.
  const visit = (file) => {
    order.set(file, order.size);
    lowest.set(file, order.get(file));
    open.push(file);
    for (const target of graph.get(file)) {
      if (!order.has(target)) visit(target);
      if (open.includes(target)) lowest.set(file, Math.min(lowest.get(file), lowest.get(target)));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const group = open.splice(open.indexOf(file));
    if (group.length > 1 || graph.get(file).includes(file)) circles.push(group);
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return circles;
}

/** Returns the problems of the files below `root`/lib and the number of checked files. */
export function checkLib(root) {
  const lib = join(root, 'lib');
  const entries = readdirSync(lib, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile() && /\.[jt]s$/.test(entry.name));
  const files = paths.map((entry) => join(entry.parentPath, entry.name).slice(lib.length + 1)).sort();
  const known = new Set(files);
  const problems = [];
  const graph = new Map();
  for (const file of files) {
    const layer = layerOf(file);
    if (layer === undefined) problems.push(`lib/${file} is in no layer: add it to scripts/lib-layers.mjs`);
    const text = readFileSync(join(lib, file), 'utf8');
    if (!NATIVE.includes(file) && /createRequire|\.node['"]/.test(text)) {
      problems.push(`lib/${file} loads native code: only ${NATIVE.map((one) => `lib/${one}`).join(' and ')} may`);
    }
    const targets = [];
    for (const name of importsOf(text)) {
      if (!name.startsWith('.')) {
        const owners = PACKAGES[name];
        if (owners && !owners.includes(layer)) {
          problems.push(`lib/${file} imports ${name}, which belongs to ${owners.join(' and ')}`);
        }
        continue;
      }
      const path = normalize(join(dirname(file), name));
      const target = [path.replace(/\.js$/, '.ts'), path].find((candidate) => known.has(candidate));
      if (target === undefined) continue; // The compiler reports missing files.
      targets.push(target);
      const below = layerOf(target);
      if (below === 'entry') problems.push(`lib/${file} imports lib/${target}, which is for users`);
      if (layer === undefined || below === undefined || layer === 'entry' || below === 'entry') continue;
      if (LAYERS.indexOf(below) < LAYERS.indexOf(layer)) {
        problems.push(`lib/${file} (${layer}) imports lib/${target} (${below}), a layer above it`);
      }
    }
    graph.set(file, targets);
  }
  for (const circle of circlesOf(graph)) {
    problems.push(`These files import each other in a circle: ${circle.map((file) => `lib/${file}`).join(', ')}`);
  }
  return { problems, checked: files.length };
}
