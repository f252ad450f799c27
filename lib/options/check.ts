import { z } from 'zod';
import { InvalidOptionError } from '../core/errors.js';

/** An error shows at most this number of characters of a value. */
const MAX_SHOWN_CHARACTERS = 200;

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  const whole = typeof value === 'string' ? JSON.stringify(value) : String(value);
  const shown = whole.length <= MAX_SHOWN_CHARACTERS ? whole : `${whole.slice(0, MAX_SHOWN_CHARACTERS)}…`;
  return `${shown} of type ${typeof value}`;
}

function valueAt(input: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], input);
}

/**
 * Checks options and returns them with their defaults. Throws ERR_INVALID_OPTION as "Expected X for NAME but received
 * VALUE", and for unknown names.
 */
export function checkOptions<T extends z.ZodType>(schema: T, input: unknown): z.output<T> {
  const result = schema.safeParse(input ?? {});
  if (result.success) return result.data;
  const issue = result.error.issues[0] as z.core.$ZodIssue;
  if (issue.code === 'unrecognized_keys') {
    throw new InvalidOptionError(`Unknown option ${issue.keys.join(', ')}`);
  }
  const name = issue.path.join('.') || 'options';
  throw new InvalidOptionError(
    `Expected ${issue.message} for ${name} but received ${describe(valueAt(input, issue.path))}`,
  );
}

/** Returns the schema of an integer in [low, high]. */
export function integer(low: number, high = Number.MAX_SAFE_INTEGER): z.ZodNumber {
  const message = high === Number.MAX_SAFE_INTEGER ? `an integer of at least ${low}` : `an integer ${low}..${high}`;
  return z.number(message).int(message).min(low, message).max(high, message);
}

/** Returns the schema of a finite number in [low, high]. */
export function real(low: number, high: number): z.ZodNumber {
  const message = `a number ${low}..${high}`;
  return z.number(message).min(low, message).max(high, message);
}

/** Returns the schema of a finite number in (low, high]. */
export function above(low: number, high: number): z.ZodNumber {
  const message = `a number above ${low} and up to ${high}`;
  return z.number(message).gt(low, message).max(high, message);
}

/** Returns the schema of one of the words. */
export function oneOf<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words, `one of ${words.join(', ')}`);
}

export const text = (): z.ZodString => z.string('text');
/** Returns the schema of a path or name that is not empty. Errors call it `what`. */
export const path = (what: string): z.ZodString => z.string(what).min(1, what);
export const flag = (): z.ZodBoolean => z.boolean('true or false');
export const signal = () =>
  z.custom<AbortSignal>((value) => value === undefined || value instanceof AbortSignal, 'an AbortSignal').optional();

/** Every long operation takes these options beside its settings. */
export const taskShape = { signal: signal() };

/** Returns the entries that are not undefined, so that the API's defaults apply to the others. */
export function given<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
