// Usage: node scripts/generate-options.mjs [--root DIR]
// Generates lib/options/generated.ts and the tables of docs/options.md from the declarations in lib/options. `--root`
// names another copy of the repository.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { compile } from 'json-schema-to-typescript';

const at = process.argv.indexOf('--root');
const root = at > 0 ? process.argv[at + 1] : dirname(dirname(fileURLToPath(import.meta.url)));

/** Bundles and imports the declarations, without a build of the other files. */
async function loadDeclarations() {
  // The bundle must be inside of node_modules so that Node finds the packages that the declarations import.
  const folder = mkdtempSync(join(root, 'node_modules', '.options-'));
  try {
    const outfile = join(folder, 'declarations.mjs');
    const names = ['detect', 'interfaces', 'jobs', 'json-schema', 'reference', 'review', 'service', 'worker'];
    const contents = names.map((name) => `export * from './lib/options/${name}.ts';`).join('\n');
    const stdin = { contents, resolveDir: root, loader: 'ts' };
    await build({
      stdin,
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      logLevel: 'error',
    });
    return await import(pathToFileURL(outfile));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const { interfaces, jsonSchemaOf, markdownReference, ...declared } = await loadDeclarations();

function writeIfChanged(path, text) {
  const before = (() => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  })();
  if (before !== text) writeFileSync(path, text);
}

// json-schema-to-typescript supports tuples only in the form of draft 7.
const style = { bannerComment: '', additionalProperties: false, ignoreMinAndMaxItems: true, format: true };
// The compiler writes the length of a tuple as a tag, which typedoc does not know and which the type says already.
const LENGTH_TAGS = /(\n *\*)?(\n *\* @(min|max)Items \d+)+/g;
const compiled = await Promise.all(
  Object.entries(interfaces).map(([name, { doc, set }]) =>
    compile({ ...jsonSchemaOf(set, 'draft-7'), title: name, description: doc }, name, style),
  ),
);
writeIfChanged(
  join(root, 'lib', 'options', 'generated.ts'),
  `// Made by scripts/generate-options.mjs from the declarations beside it.\n\n${compiled.join('\n').replace(LENGTH_TAGS, '')}`,
);

const docs = join(root, 'docs', 'options.md');
const commands = {
  run: declared.campaignOptions,
  train: declared.learnOptions,
  sample: declared.generateOptions,
  place: declared.placeJobOptions,
  mask: declared.maskJobOptions,
  evaluate: declared.evaluateOptions,
  fit: declared.fitOptions,
  detect: declared.detectOptions,
  import: declared.importOptions,
  check: declared.jobOptions.check,
  export: declared.jobOptions.export,
  review: declared.reviewOptions,
  serve: declared.serveOptions,
  worker: declared.workerOptions,
  convert: declared.convertJobOptions,
  demo: declared.demoOptions,
};
const sections = Object.entries(commands).map(([name, set]) => `## \`${name}\`\n\n${markdownReference(set)}\n`);
const before = readFileSync(docs, 'utf8');
const mark = '<!-- Below this line the file is made by scripts/generate-options.mjs. -->\n';
writeIfChanged(docs, `${before.slice(0, before.indexOf(mark) + mark.length)}\n${sections.join('\n')}`);
