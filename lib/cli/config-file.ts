/** Reads options from a YAML file for `--config`, and prints them as one for `--print-config`. */
import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { InvalidOptionError, withFileErrors } from '../core/errors.js';
import { checkValue } from '../options/check.js';
import { defaultOf, notesOf, type OptionSet, unwrap } from '../options/option.js';
import { readFlag } from './flags.js';

const isText = (value: unknown): value is string => typeof value === 'string';
/** A file may write a list or a record as the text of a flag, for example with commas. */
const takesLists = (schema: z.ZodType) => {
  const { inner } = unwrap(schema);
  return inner instanceof z.ZodArray || inner instanceof z.ZodTuple || inner instanceof z.ZodRecord;
};

/** Reads the options in a file. Throws ERR_FILE_ACCESS, and ERR_INVALID_OPTION with the file and the wrong entry. */
export async function readConfig(file: string, set: OptionSet): Promise<Record<string, unknown>> {
  const content = await withFileErrors('read', file, () => readFile(file, 'utf8'));
  let values: unknown;
  try {
    values = parse(content) ?? {};
  } catch (cause) {
    throw new InvalidOptionError(`${file} is not YAML: ${firstLineOf((cause as Error).message)}`, { cause });
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new InvalidOptionError(`${file}: expected options as name: value, one a line`);
  }
  for (const name of Object.keys(values)) {
    if (Object.hasOwn(set, name)) continue;
    const meant = name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const hint = Object.hasOwn(set, meant) ? `: a config file calls it ${meant}` : '';
    throw new InvalidOptionError(`${file}: unknown option ${name}${hint}`);
  }
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      try {
        return [name, checkedValue(name, set[name] as z.ZodType, value)];
      } catch (cause) {
        throw new InvalidOptionError(`${file}: ${(cause as Error).message}`, { cause });
      }
    }),
  );
}

/** Returns the first line of a parser's message. The others quote the file. */
const firstLineOf = (message: string) => message.replace(/:?\n[\s\S]*/, '');

/** Reads and checks one value. Later checks would not name the file in their errors. */
function checkedValue(name: string, schema: z.ZodType, value: unknown): unknown {
  const { inner } = unwrap(schema);
  // YAML reads a text such as 0.5 as a number.
  const isNumberForText = typeof value === 'number' && inner instanceof z.ZodString;
  const meant = isNumberForText ? String(value) : isText(value) && takesLists(schema) ? readFlag(schema, value) : value;
  checkValue(name, schema, meant);
  return meant;
}

/**
 * Prints the options as a config file. Options that were not given are comments, because a preset or a base may set
 * them.
 */
export function printConfig(set: OptionSet, given: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(set)
    .filter(([name, schema]) => notesOf(schema).tier !== 'api' || given[name] !== undefined)
    .map(([name, schema]) => {
      if (given[name] !== undefined) return stringify({ [name]: given[name] }).trimEnd();
      const { fallback, isRequired } = unwrap(schema);
      if (fallback !== undefined) return asComment(stringify({ [name]: fallback }).trimEnd());
      return `# ${name}: (${isRequired ? 'required' : (defaultOf(schema) ?? 'none')})`;
    });
  return lines.join('\n');
}

const asComment = (text: string) => text.replaceAll(/^/gm, '# ');
