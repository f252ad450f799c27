// This file checks that folders of lib/ import only what is below them, that packages stay in their layers, and that no
// files import each other in a circle. Imports of types count, because whoever reads a file has to follow them too.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';

/** A layer imports only itself and those named after it. */
const LAYERS = [
  ...['cli', 'jobs', 'report', 'evaluate', 'recipes', 'model', 'dataset'],
  ...['engine', 'libtorch', 'options', 'core'],
];
/** These files beside the folders are the engine's layer. */
const ENGINE = /^(native|addon-types[\w-]*|run-native|profile|pool)\.ts$/;
/** Users import these files. They may import anything, and no other file imports them. */
const ENTRIES = ['index.ts', 'errors.ts', 'tensors.ts'];
/** The first file opens native code, and the second one looks for it. */
const NATIVE = ['native.ts', join('core', 'binary.ts')];
/** Only the named layers import these packages. */
const PACKAGES = {
  commander: ['cli'],
  'cli-progress': ['cli'],
  yauzl: ['libtorch'],
  sharp: ['dataset', 'core'],
};

/** Returns the relative paths and the names of packages that a file imports. */
function importsOf(text) {
  const statements = text.matchAll(
    /^(?:import|export)\b[^;'"]*?\bfrom\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]/gm,
  );
  const expressions = text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g);
  return [...statements, ...expressions].map(([, from, bare]) => from ?? bare);
}

/** Returns the layer of a file by its path below lib/, and undefined where it is in none. */
function layerOf(file) {
  const [folder] = file.split(sep);
  if (folder === 'addon-types') return 'engine';
  if (folder !== file) return LAYERS.includes(folder) && folder !== 'engine' ? folder : undefined;
  if (ENTRIES.includes(file)) return 'entry';
  return ENGINE.test(file) ? 'engine' : undefined;
}

/** Returns each group of files that all reach each other, by Tarjan's strongly connected components. */
function circlesOf(graph) {
  const order = new Map();
  const lowest = new Map();
  const open = [];
  const circles = [];
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

/** Returns the problems of the files below `root`/lib, and the number of files. */
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
      if (target === undefined) continue; // The compiler tells of files that are missing.
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
