// docs/api (`npm run docs`): an index with the README's first program, a page for each entry point of the package, and
// one for each of its classes and interfaces.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { entriesOf } from './scripts/entries.mjs';

const root = dirname(fileURLToPath(import.meta.url));
const example = /^```(ts|js)\n.*?^```$/ms.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[0];
if (example === undefined) throw new Error('README.md has no program in TypeScript or JavaScript');
const readme = join(root, 'dist', 'api-index.md');
mkdirSync(dirname(readme), { recursive: true });
writeFileSync(readme, `# The API of dualanodiff\n\n${example}\n`);

export default {
  name: 'dualanodiff',
  // The root comes last: what a subpath exports, too, is described there.
  entryPoints: entriesOf(root)
    .map(({ module }) => `lib/${module}.ts`)
    .reverse(),
  tsconfig: 'tsconfig.json',
  readme,
  mergeReadme: true,
  out: 'docs/api',
  plugin: ['typedoc-plugin-markdown'],
  outputFileStrategy: 'members',
  membersWithOwnFile: ['Class', 'Interface'],
  entryFileName: 'README.md',
  parametersFormat: 'table',
  propertiesFormat: 'table',
  interfacePropertiesFormat: 'table',
  hideBreadcrumbs: true,
  hidePageHeader: true,
  excludeInternal: true,
  excludeExternals: true,
  excludePrivate: true,
  disableSources: true,
  treatWarningsAsErrors: true,
  // The lists of words that these types are made from.
  intentionallyNotExported: [
    ...['fits', 'maskMethods', 'foundTogether', 'weightsNames', 'jobKinds', 'Foreground'],
    ...['backbones', 'dataFormats', 'defectSources', 'detectors'],
  ],
};
