/** Makes the flags of the command line from the declarations of options. */
import { existsSync } from 'node:fs';
import { InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { documentationOf, type NamedFlag, namedFlagsOf, notesOf, type OptionSet, unwrap } from '../options/option.js';

/** Reads a finite number. */
function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number.');
  return value;
}

interface ScaledFile {
  file: string;
  scale: number;
}

/**
 * Reads `FILE` or `FILE=SCALE`. Names of files may contain `=`, so a file whose name is the whole text takes
 * precedence. FILE may be the folder of a LoRA.
 */
export function readFileWithScale(text: string, before: ScaledFile[] = []): ScaledFile[] {
  const [, file, scale] = /^(.+)=([^=/]*)$/.exec(text) ?? [];
  if (file === undefined || scale === undefined || existsSync(text)) return [...before, { file: text, scale: 1 }];
  const factor = scale.trim() === '' ? Number.NaN : Number(scale);
  if (Number.isFinite(factor)) return [...before, { file, scale: factor }];
  // Neither reading is an existing file, so the error for the missing file names the whole text.
  if (!existsSync(file)) return [...before, { file: text, scale: 1 }];
  throw new InvalidArgumentError(`Expected a number after ${file}= but received ${JSON.stringify(scale)}.`);
}

/** Reads `NAME=DIR`, or `DIR` alone, which gets the name `generated`. */
function readNamedFolder(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, name = 'generated', folder = text] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
  if (name in before) throw new InvalidArgumentError(`${name} is given twice: name the folders, as in NAME=DIR.`);
  return { ...before, [name]: folder };
}

/** Reads words with commas between them. `all` stands for every word, and `none` for no word. */
function readWords(text: string, known: readonly string[]): string[] {
  const words = text === '' ? [] : [...new Set(text.split(','))];
  if (words.every((word) => known.includes(word))) return words;
  if (text === 'all') return [...known];
  if (text === 'none') return [];
  throw new InvalidArgumentError(`Expected ${known.join(', ')} (several with commas), all or none.`);
}

function readInterval(text: string): number[] {
  const numbers = text.split(':').map(number);
  if (numbers.length !== 2) throw new InvalidArgumentError('Expected FROM:TO.');
  return numbers;
}

/** Reads numbers with commas between them. */
const readNumbers = (text: string): number[] => text.split(',').map(number);

/** Reads the text of a flag. `before` is the value of earlier flags of the same name. */
export function readFlag(schema: z.ZodType, text: string, before?: unknown): unknown {
  const { reader } = notesOf(schema);
  if (reader === 'file-with-scale') return readFileWithScale(text, before as ScaledFile[] | undefined);
  if (reader === 'named-folder') return readNamedFolder(text, before as Record<string, string> | undefined);
  const { inner } = unwrap(schema);
  if (inner instanceof z.ZodNumber) return number(text);
  if (inner instanceof z.ZodTuple) return readInterval(text);
  if (inner instanceof z.ZodArray && inner.element instanceof z.ZodNumber) return readNumbers(text);
  if (inner instanceof z.ZodArray && inner.element instanceof z.ZodEnum) {
    return readWords(text, inner.element.options as string[]);
  }
  const mayBeNumber = inner instanceof z.ZodUnion && inner.options.some((one) => one instanceof z.ZodNumber);
  return mayBeNumber && /^\d+$/.test(text) ? Number(text) : text;
}

/** Makes the flags of one option. */
function flagsOf(name: string, schema: z.ZodType): Option[] {
  const { valueName, tier } = notesOf(schema);
  const { inner, isRequired } = unwrap(schema);
  const isHidden = tier === 'advanced';
  if (inner instanceof z.ZodBoolean) {
    return namedFlagsOf(name, schema).map(({ name: flag, doc }) => new Option(flag, doc).hideHelp(isHidden));
  }
  const [{ name: long }] = namedFlagsOf(name, schema) as [NamedFlag];
  const isNumber = inner instanceof z.ZodNumber;
  const isWord = inner instanceof z.ZodEnum;
  const value = valueName ?? (isNumber ? 'n' : isWord ? 'word' : 'text');
  const flag = new Option(`${long} <${value}>`, documentationOf(schema)).hideHelp(isHidden);
  if (isWord) flag.choices(inner.options as string[]);
  else flag.argParser((text: string, before?: unknown) => readFlag(schema, text, before));
  // Commander must not check required options itself, because the config file may hold them.
  if (isRequired) flag.description += ' Required.';
  return [flag];
}

/** Makes the flags of all options in a set, except those of the tier `api`. */
export function flagsOfSet(set: OptionSet): Option[] {
  return Object.entries(set)
    .filter(([, schema]) => notesOf(schema).tier !== 'api')
    .flatMap(([name, schema]) => flagsOf(name, schema));
}
