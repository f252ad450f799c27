/** Makes the reference of the options from their declarations. */
import { defaultOf, kebabCase, notesOf, type OptionSet, unwrap } from './option.js';

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** Returns a Markdown table of the options that have a flag. Those of `--help` come first. */
export function markdownReference(set: OptionSet): string {
  const rows = Object.entries(set).filter(([, schema]) => notesOf(schema).tier !== 'api');
  const rank = ([, schema]: (typeof rows)[number]) => (notesOf(schema).tier === 'common' ? 0 : 1);
  const lines = rows
    .sort((a, b) => rank(a) - rank(b))
    .map(([name, schema]) => {
      const fallback = unwrap(schema).isRequired ? 'required' : (defaultOf(schema) ?? '');
      return `| \`--${kebabCase(name)}\` | ${cell(notesOf(schema).doc)} | ${cell(fallback)} |`;
    });
  return ['| option | meaning | default |', '|---|---|---|', ...lines].join('\n');
}
