/**
 * Makes the options of a job's request to a service from the options of the job. A client never gives paths: what is a
 * path for the job is a name here. Options that the service decides itself are left out.
 */
import { z } from 'zod';
import { InvalidOptionError } from '../core/errors.js';
import { checkOptions } from './check.js';
import { type JobKind, jobKinds, jobOptions } from './jobs.js';
import { notesOf, type OptionSet, option, unwrap } from './option.js';

const SEGMENT = '[A-Za-z0-9][A-Za-z0-9._-]{0,99}';
const JOB_ID = '[0-9a-f]{32}';
/**
 * A path below the files of a job. Its folders may be names of types, which may have any letters. A plus would join two
 * folders of pairs.
 */
const PATH = '(?:/[^/\\\\+\\x00-\\x1f.][^/\\\\+\\x00-\\x1f]{0,254}){1,8}';

export const jobIdPattern = new RegExp(`^${JOB_ID}$`);

const isName = (text: string) => new RegExp(`^${SEGMENT}$`).test(text);
/** A name that looks like a job's identifier would be ambiguous in `data`. */
export const isDatasetName = (text: string): boolean => isName(text) && !jobIdPattern.test(text);

/** A name that is safe in a path and in an address, for datasets and bases. */
export const NAME = 'a name of 1 to 100 letters, digits, ., _ and -, which starts with a letter or digit';
export const datasetName = (): z.ZodType<string> =>
  z
    .string(NAME)
    .regex(new RegExp(`^(?!${JOB_ID}$)${SEGMENT}$`), `${NAME}, and is no job's identifier`)
    .meta({ description: `The dataset's name: ${NAME}.` });

/** What a name in an option stands for. */
export type Reference =
  | { kind: 'dataset'; name: string }
  | { kind: 'base'; name: string }
  /** `path` is empty for all files of the job. */
  | { kind: 'job'; id: string; path: string };

/**
 * `data` is a dataset's name or the identifier of a job, `adapter` and `detector` are the identifier of the job that
 * made the file. An identifier may have the path of one of the job's files or folders behind it. `base` is the name of
 * a base that the service offers.
 */
type ReferenceType = 'data' | 'adapter' | 'detector' | 'base';

/** A job writes its one file below this name in its folder. Other jobs write to the folder itself. */
export const resultFiles = { learn: 'adapter.safetensors', fit: 'detector.safetensors' } as const;
const DEFAULT_PATH = { data: '', adapter: resultFiles.learn, detector: resultFiles.fit };

const REFERENCES: Record<JobKind, Record<string, ReferenceType>> = {
  learn: { data: 'data', base: 'base', initialAdapter: 'adapter' },
  generate: { adapter: 'adapter', base: 'base', backgroundImages: 'data' },
  place: { adapter: 'adapter', onto: 'data', base: 'base' },
  mask: { parts: 'data' },
  evaluate: { data: 'data', testData: 'data', pairs: 'data', base: 'base' },
  fit: { data: 'data', pairs: 'data' },
  detect: { detector: 'detector', images: 'data' },
  campaign: { data: 'data', base: 'base' },
  import: { from: 'data' },
  check: { data: 'data', base: 'base' },
  export: { data: 'data', pairs: 'data' },
};

/** These options are texts that are no paths. All other options that may hold any text are left out. */
const TEXTS = new Set([
  ...['type', 'globalPrompt', 'anomalyPrompt', 'negativePrompt', 'keepBest'],
  ...['trainImages', 'window', 'device'],
]);
/** The service decides these. */
const DECIDED = new Set(['out', 'resume']);

const BOX = /^\d{1,6},\d{1,6},\d{1,6},\d{1,6}$/;
const PLACES: OptionSet = {
  where: option(
    z
      .string()
      .regex(new RegExp(`^auto$|${BOX.source}`), 'auto or x,y,width,height')
      .default('auto'),
    'common',
    'Place each defect in this box x,y,width,height in pixels. auto takes places like those of the training defects.',
  ),
  whereNot: option(
    z.string().regex(BOX, 'x,y,width,height').optional(),
    'common',
    'Place no defect in this box x,y,width,height in pixels.',
  ),
};

const WORDS: Record<ReferenceType, string> = {
  data: "a dataset's name, or a job's identifier with or without a path of its files",
  adapter: 'the identifier of the job that trained the adapter, with or without a path of its files',
  detector: 'the identifier of the job that fitted the detector, with or without a path of its files',
  base: 'the name of a base that the service offers',
};

function referenceSchema(type: ReferenceType): z.ZodType<string> {
  const job = `${JOB_ID}(?:${PATH})?`;
  const pattern = { data: `${SEGMENT}|${job}`, adapter: job, detector: job, base: SEGMENT }[type];
  return z.string(WORDS[type]).regex(new RegExp(`^(?:${pattern})$`, 'u'), WORDS[type]);
}

/** Returns whether no value of an option can hold a text of the client's choice. */
function holdsNoText(schema: z.ZodType): boolean {
  const { inner } = unwrap(schema);
  if (inner instanceof z.ZodArray) return holdsNoText(inner.element as z.ZodType);
  return [z.ZodNumber, z.ZodBoolean, z.ZodEnum, z.ZodTuple].some((one) => inner instanceof one);
}

/** Makes the request's form of one option. Returns undefined if a request cannot have it. */
function requestOption(kind: JobKind, name: string, schema: z.ZodType): z.ZodType | undefined {
  if (DECIDED.has(name)) return undefined;
  if (kind === 'place' && name in PLACES) return PLACES[name];
  const type = REFERENCES[kind][name];
  if (type === undefined) return holdsNoText(schema) || TEXTS.has(name) ? schema : undefined;
  const { inner, isRequired } = unwrap(schema);
  const one = referenceSchema(type);
  const named = inner instanceof z.ZodRecord ? z.record(inner.keyType as z.ZodString, one, 'jobs by name') : one;
  const doc = `${notesOf(schema).doc} Here it is ${WORDS[type]}.`;
  return option(isRequired ? named : named.optional(), notesOf(schema).tier, doc);
}

/** The options that a request for a job of each kind may have. */
export const requestOptions = Object.fromEntries(
  jobKinds.map((kind) => {
    const options = Object.entries(jobOptions[kind]).flatMap(([name, schema]) => {
      const made = requestOption(kind, name, schema as z.ZodType);
      return made ? [[name, made] as const] : [];
    });
    return [kind, Object.fromEntries(options)];
  }),
) as Record<JobKind, OptionSet>;

/**
 * Checks the options of a request, from whoever it comes. Returns the options that are given, without defaults, because
 * jobs choose some defaults by what is given. Throws ERR_INVALID_OPTION.
 */
export function checkRequest(kind: JobKind, options: unknown): Record<string, unknown> {
  const checked = checkOptions(z.strictObject(requestOptions[kind]), options) as Record<string, unknown>;
  return Object.fromEntries(Object.keys((options ?? {}) as object).map((name) => [name, checked[name]]));
}

/** Reads the name in an option. Throws ERR_INVALID_OPTION. */
export function parseReference(type: ReferenceType, text: string): Reference {
  if (!referenceSchema(type).safeParse(text).success) {
    throw new InvalidOptionError(`Expected ${WORDS[type]} but received ${JSON.stringify(text)}`);
  }
  if (type === 'base') return { kind: 'base', name: text };
  const [id = '', ...path] = text.split('/');
  if (!jobIdPattern.test(id)) return { kind: 'dataset', name: text };
  return { kind: 'job', id, path: path.join('/') || DEFAULT_PATH[type] };
}

/** Returns the names in checked options with their types. */
function namesIn(kind: JobKind, options: Readonly<Record<string, unknown>>): [ReferenceType, string][] {
  return Object.entries(REFERENCES[kind]).flatMap(([option, type]) => {
    const value = options[option];
    const names = typeof value === 'object' && value !== null ? Object.values(value) : [value];
    return names.filter((name) => typeof name === 'string').map((name): [ReferenceType, string] => [type, name]);
  });
}

/** Returns the names of the datasets in checked options. */
export function datasetsIn(kind: JobKind, options: Readonly<Record<string, unknown>>): string[] {
  const references = namesIn(kind, options).map(([type, name]) => parseReference(type, name));
  return [...new Set(references.flatMap((one) => (one.kind === 'dataset' ? one.name : [])))];
}

/** Replaces the names in checked options by what `resolve` returns for them, such as paths. */
export async function resolveReferences(
  kind: JobKind,
  options: Readonly<Record<string, unknown>>,
  resolve: (reference: Reference) => Promise<string>,
): Promise<Record<string, unknown>> {
  const resolved = { ...options };
  for (const [name, type] of Object.entries(REFERENCES[kind])) {
    const value = options[name];
    if (typeof value === 'string') resolved[name] = await resolve(parseReference(type, value));
    else if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value).map(
        async ([key, one]) => [key, await resolve(parseReference(type, one as string))] as const,
      );
      resolved[name] = Object.fromEntries(await Promise.all(entries));
    }
  }
  return resolved;
}
