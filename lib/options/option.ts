/**
 * An option is declared once: its schema with range and default, its documentation and its tier. Flags, help, config
 * files, types, the service's OpenAPI and the tables of the documentation are made from that declaration.
 */
import { z } from 'zod';

/** `common` options are in `--help`, `advanced` ones in `--help-all`, `api` ones have no flag. */
export type Tier = 'common' | 'advanced' | 'api';

/** How the text of a flag becomes a value, where the schema does not say it. */
export type FlagReader = 'file-with-scale' | 'named-folder';

export interface OptionNotes {
  tier: Tier;
  /** One or two sentences without the default, which the schema knows. */
  doc: string;
  /** The default in words, where it depends on the base or on other options. */
  fallback?: string;
  /** What stands for the value in help: `file`, `dir`. */
  placeholder?: string;
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

/** The options of a job, by name. */
export type OptionSet = Readonly<Record<string, z.ZodType>>;

/** What is declared of an option beside its schema. */
export function notesOf(schema: z.ZodType): OptionNotes {
  const found = notes.get(schema);
  if (!found) throw new Error('an option was declared without option()');
  return found;
}

/** Whether a schema is an option, and not the part of one. */
export const hasNotes = (schema: z.ZodType): boolean => notes.has(schema);

/** The schema of the value itself, and the default where there is one. */
export function unwrap(schema: z.ZodType): { inner: z.ZodType; fallback: unknown; isRequired: boolean } {
  let inner = schema;
  let fallback: unknown;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) {
    if (inner instanceof z.ZodDefault) fallback = inner.def.defaultValue;
    inner = inner.unwrap() as z.ZodType;
  }
  return { inner, fallback, isRequired: inner === schema };
}

/** The range of a number in words; nothing where it has none that matters. */
function rangeOf(schema: z.ZodType): string {
  const { inner } = unwrap(schema);
  if (!(inner instanceof z.ZodNumber)) return '';
  const { minValue: low, maxValue: high } = inner;
  const hasTop = high !== null && high < Number.MAX_SAFE_INTEGER;
  if (hasTop) return `${low} to ${high}`;
  return low === null || low === 0 ? '' : `at least ${low}`;
}

/** A value as documentation shows it. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(shown).join(', ');
  return value === '' ? 'empty' : typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The default in words; undefined for an option that is required, or that has no default to speak of. */
export function defaultOf(schema: z.ZodType): string | undefined {
  const { fallback } = unwrap(schema);
  return notesOf(schema).fallback ?? (fallback === undefined ? undefined : shown(fallback));
}

/** The whole documentation of an option: sentence, range and default. */
export function documentationOf(schema: z.ZodType): string {
  const range = rangeOf(schema);
  const fallback = defaultOf(schema);
  const more = [range === '' ? '' : `Range: ${range}.`, fallback === undefined ? '' : `Default: ${fallback}.`];
  return [notesOf(schema).doc, ...more].filter((text) => text !== '').join(' ');
}

/** An option's name on the command line. */
export const kebabCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Some options of a set, in the order of `names`. */
export function pick<T extends OptionSet, const K extends readonly (keyof T)[]>(set: T, names: K): Pick<T, K[number]> {
  return Object.fromEntries(names.map((name) => [name, set[name]])) as Pick<T, K[number]>;
}
