/**
 * Declares options. Each option is declared once, with a schema that has its range and default, its documentation and
 * its tier. Flags, help, config files, types, the service's OpenAPI and the tables of the documentation are made from
 * that declaration.
 */
import { z } from 'zod';

/** `common` options are in `--help`, and `advanced` ones only in `--help-all`. `api` options have no flag. */
export type Tier = 'common' | 'advanced' | 'api';

/** A reader turns the text of a flag into a value if the schema alone does not tell how. */
export type FlagReader = 'file-with-scale' | 'named-folder';

export interface OptionNotes {
  tier: Tier;
  /** These are one to three sentences. The schema adds range and default. */
  doc: string;
  /** This describes the default if it depends on the base or on other options. */
  fallback?: string;
  /** This word stands for the value in help, such as `file` or `dir`. */
  valueName?: string;
  reader?: FlagReader;
}

const notes = z.registry<OptionNotes>();

/** Declares an option. */
export function option<T extends z.ZodType>(
  schema: T,
  tier: Tier,
  doc: string,
  more: Omit<OptionNotes, 'tier' | 'doc'> = {},
): T {
  notes.add(schema, { tier, doc, ...more });
  return schema;
}

/** Holds the options of a job by name. */
export type OptionSet = Readonly<Record<string, z.ZodType>>;

/** Returns the declaration of an option beside its schema. */
export function notesOf(schema: z.ZodType): OptionNotes {
  const found = notes.get(schema);
  if (!found) throw new Error('an option was declared without option()');
  return found;
}

/** Returns true if a schema is an option, and not a part of one. */
export const hasNotes = (schema: z.ZodType): boolean => notes.has(schema);

/** Returns the schema of the value itself, and the default if there is one. */
export function unwrap(schema: z.ZodType): { inner: z.ZodType; fallback: unknown; isRequired: boolean } {
  let inner = schema;
  let fallback: unknown;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) {
    if (inner instanceof z.ZodDefault) fallback = inner.def.defaultValue;
    inner = inner.unwrap() as z.ZodType;
  }
  return { inner, fallback, isRequired: inner === schema };
}

/** Describes the range of a number. Returns an empty text for other schemas and for numbers with a trivial range. */
function rangeOf(schema: z.ZodType): string {
  const { inner } = unwrap(schema);
  if (!(inner instanceof z.ZodNumber)) return '';
  const { minValue: low, maxValue: high } = inner;
  const hasTop = high !== null && high < Number.MAX_SAFE_INTEGER;
  if (hasTop) return excludesLow(inner) ? `above ${low}, up to ${high}` : `${low} to ${high}`;
  return low === null || low === 0 ? '' : `at least ${low}`;
}

/** Returns whether the lower bound itself is not allowed. */
const excludesLow = (schema: z.ZodNumber): boolean =>
  schema.def.checks?.some(
    ({ _zod: { def } }) => def.check === 'greater_than' && 'inclusive' in def && !def.inclusive,
  ) ?? false;

/** Formats a value for documentation. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(shown).join(', ');
  return value === '' ? 'empty' : typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Describes the default. Returns undefined for an option that is required, or that has no default. */
export function defaultOf(schema: z.ZodType): string | undefined {
  const { fallback } = unwrap(schema);
  return notesOf(schema).fallback ?? (fallback === undefined ? undefined : shown(fallback));
}

/** Returns the whole documentation of an option: its sentences, range and default. */
export function documentationOf(schema: z.ZodType): string {
  const range = rangeOf(schema);
  const fallback = defaultOf(schema);
  const more = [range === '' ? '' : `Range: ${range}.`, fallback === undefined ? '' : `Default: ${fallback}.`];
  return [notesOf(schema).doc, ...more].filter((text) => text !== '').join(' ');
}

/** Returns an option's name on the command line. */
export const kebabCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** One flag of an option with its documentation, which has no range and no default. */
export interface NamedFlag {
  name: string;
  doc: string;
}

/**
 * Returns the flags of an option. A switch that is on by default has only the flag that turns it off, and a switch
 * without a default has both.
 */
export function namedFlagsOf(name: string, schema: z.ZodType): NamedFlag[] {
  const { inner, fallback } = unwrap(schema);
  const { doc } = notesOf(schema);
  const on = { name: `--${kebabCase(name)}`, doc };
  if (!(inner instanceof z.ZodBoolean) || fallback === false) return [on];
  const off = { name: `--no-${kebabCase(name)}`, doc: `Do not ${doc.charAt(0).toLowerCase()}${doc.slice(1)}` };
  return fallback === true ? [off] : [on, off];
}

/** Selects options of a set, in the order of `names`. */
export function pick<T extends OptionSet, const K extends readonly (keyof T)[]>(set: T, names: K): Pick<T, K[number]> {
  return Object.fromEntries(names.map((name) => [name, set[name]])) as Pick<T, K[number]>;
}
