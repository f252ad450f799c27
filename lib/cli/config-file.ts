/** Options in a YAML file, which is read with `--config` and written with `--print-config`. */
import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { InvalidOptionError, withFileErrors } from '../core/errors.js';
import { checkOptions } from '../options/check.js';
import { defaultOf, notesOf, type OptionSet, unwrap } from '../options/option.js';
import { readFlag } from './flags.js';

/** A list or folders may be written as the flag has them. */
const isText = (value: unknown): value is string => typeof value === 'string';
const takesLists = (schema: z.ZodType) => {
  const { inner } = unwrap(schema);
  return inner instanceof z.ZodArray || inner instanceof z.ZodTuple || inner instanceof z.ZodRecord;
};

/** The options in a file. Throws ERR_FILE_ACCESS, and ERR_INVALID_OPTION naming the file and what is wrong in it. */
export async function readConfig(file: string, set: OptionSet): Promise<Record<string, unknown>> {
  const content = await withFileErrors('read', file, () => readFile(file, 'utf8'));
  let values: unknown;
  try {
    values = parse(content) ?? {};
  } catch (cause) {
    throw new InvalidOptionError(`${file} is not YAML: ${(cause as Error).message}`, { cause });
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new InvalidOptionError(`${file}: expected options as name: value, one a line`);
  }
  for (const name of Object.keys(values)) {
    if (!Object.hasOwn(set, name)) throw new InvalidOptionError(`${file}: unknown option ${name}`);
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

/** The value as it is written, checked here because no later check knows that it comes from the file. */
function checkedValue(name: string, schema: z.ZodType, value: unknown): unknown {
  const meant = isText(value) && takesLists(schema) ? readFlag(schema, value) : value;
  checkOptions(z.strictObject({ [name]: schema }), { [name]: meant });
  return meant;
}

/** The options as a config file. What was not given stands as a comment, because a preset or a base may decide it. */
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
