/** Makes the reference of the options from their declarations. */
import { defaultOf, namedFlagsOf, notesOf, type OptionSet, unwrap } from './option.js';

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** Returns a Markdown table of the options that have a flag. Those of `--help` come first. */
export function markdownReference(set: OptionSet): string {
  const rows = Object.entries(set).filter(([, schema]) => notesOf(schema).tier !== 'api');
  const rank = ([, schema]: (typeof rows)[number]) => (notesOf(schema).tier === 'common' ? 0 : 1);
  const lines = rows
    .sort((a, b) => rank(a) - rank(b))
    .flatMap(([name, schema]) => {
      // The flag that turns a switch off says by its name that the switch is on by default.
      const isOn = unwrap(schema).fallback === true;
      const fallback = unwrap(schema).isRequired ? 'required' : isOn ? '' : (defaultOf(schema) ?? '');
      return namedFlagsOf(name, schema).map(
        ({ name: flag, doc }) => `| \`${flag}\` | ${cell(doc)} | ${cell(fallback)} |`,
      );
    });
  return ['| option | meaning | default |', '|---|---|---|', ...lines].join('\n');
}
