/** Reads the settings that an adapter file stores. They pass the same schemas as the options that they come from. */
import { z } from 'zod';
import { ModelError } from '../core/errors.js';
import { above, checkOptions, integer, oneOf, text } from '../options/check.js';
import type { Fit } from '../options/names.js';
import { stableDiffusion } from '../options/stable-diffusion.js';
import { trainerSchema } from '../options/training.js';
import { runNative } from '../run-native.js';
import { type AdapterLists, listProblem, listSchemas, renewed, type TrainedExample } from './adapter-lists.js';
import type { TypePrompts } from './type-prompts.js';

/** Describes an adapter. Files of the published code store no settings, so they get the values that that code uses. */
export interface AdapterInfo {
  /** The types that the adapter has learned. Files of the published code store none. */
  types: readonly string[];
  /** The prompts of each type. There is one entry if the file stores no types. */
  prompts: readonly TypePrompts[];
  partFill: 'grey' | 'black';
  /** Pixels along each side of the training images. */
  resolution?: number;
  /** This is how the training images became squares, if they are whole. */
  fit: Fit;
  /** Pixels of a photograph along each side of a training window, or `off` for whole images. */
  window?: number | 'off';
  /** The defects of the training photographs. */
  examples: readonly TrainedExample[];
  /** An adapter with background compensation can only be sampled with backgrounds. */
  background: 'off' | 'add' | 'interpolate';
  /**
   * True for an adapter whose background latents were scaled by the autoencoder's factor in training. The published
   * adapters were trained without this factor.
   */
  backgroundScaled: boolean;
  metadata: Readonly<Record<string, string>>;
}

/** This name in the metadata marks files of our own format. */
const FORMAT = 'dualanodiff-adapter';

/** These options keep their name of version 0.1.0 in adapters and checkpoints, so that old files can be read. */
const OLDER_NAMES: Readonly<Record<string, string>> = { defectLossShare: 'defectShare' };

/** Returns the name of an option in the metadata of adapters and checkpoints. */
export const metadataKey = (option: string): string =>
  (OLDER_NAMES[option] ?? option).replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/**
 * These options are not stored: the digest of the images covers the foregrounds, gradient checkpointing does not change
 * the result, and the prompts of the types replace the templates.
 */
export const NOT_STORED = [
  ...['foregroundMasks', 'foregroundWeights', 'gradientCheckpointing'],
  ...['globalPrompt', 'anomalyPrompt'],
];

const stored = Object.entries(trainerSchema.shape).filter(([name]) => !NOT_STORED.includes(name));

/** Removes the default from a schema: the default of an option must not stand in for a setting that a file lacks. */
function bare(schema: z.ZodType): z.ZodType {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) inner = inner.unwrap() as z.ZodType;
  return inner;
}

const schemas: Record<string, z.ZodType> = {
  ...Object.fromEntries(stored.map(([name, schema]) => [metadataKey(name), bare(schema)])),
  ...listSchemas,
  part_fill: oneOf(['grey', 'black']), // Training replaces `auto` by one of these before it writes a file.
  format: text(),
  format_version: integer(1),
  lora_scale: above(0, 100),
  saim_rank: integer(1),
  latent_levels: text(),
  example_types: text(),
  steps: integer(1),
  base: text(),
  base_fingerprint: text().min(1, 'a fingerprint'),
  dtype: oneOf(['float32', 'bfloat16', 'float16']),
  training_images: text().min(1, 'a digest'),
};
const metadataSchema = z.strictObject(schemas).partial();

/** Every trained adapter stores these settings, because they decide how it is used. */
const REQUIRED_SETTINGS = [
  ...['types', 'prompts', 'window', 'examples'],
  ...['resolution', 'fit', 'part_fill', 'branches', 'background_scaled'],
];

/** Reads a text that is one decimal number. Returns NaN for any other text. */
export const numberFrom = (value: string): number => (/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value) ? Number(value) : NaN);

/** Converts a text to the type of its option. Returns the text itself if that fails, so that the schema rejects it. */
function decoded(schema: z.ZodType | undefined, value: string): unknown {
  if (schema instanceof z.ZodNumber || schema instanceof z.ZodUnion) {
    return Number.isNaN(numberFrom(value)) ? value : numberFrom(value);
  }
  if (schema instanceof z.ZodBoolean) return value === 'true' ? true : value === 'false' ? false : value;
  return schema instanceof z.ZodArray ? fromJson(value) : value;
}

function fromJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

interface Settings extends AdapterLists {
  window?: number | 'off';
  resolution?: number;
  fit?: AdapterInfo['fit'];
  part_fill?: AdapterInfo['partFill'];
  background_scaled?: boolean;
}

/**
 * Returns the settings in the metadata of an adapter in our own format, and an empty object for other files. Names that
 * begin with `_` are notes, which are ignored. Throws ERR_WEIGHTS_INVALID with the file, the setting and its value if a
 * setting is damaged, out of range or unknown.
 */
function settingsOf(file: string, metadata: Readonly<Record<string, string>>): Settings {
  if (metadata.format !== FORMAT) return {};
  const current = renewed(metadata);
  const entries = Object.entries(current).filter(([name]) => !name.startsWith('_'));
  const unknown = entries
    .filter(([name]) => !Object.hasOwn(schemas, name))
    .map(([name, value]) => `${name} = ${value.slice(0, 80)}`);
  const damaged = (what: string, cause?: unknown) =>
    new ModelError(`The metadata of ${file}: ${what}`, 'ERR_WEIGHTS_INVALID', { cause });
  if (unknown.length > 0) throw damaged(`${unknown.join(', ')} is not known to this version: update the package`);
  if (metadata.training_images !== undefined) {
    const missing = REQUIRED_SETTINGS.filter((name) => current[name] === undefined);
    if (missing.length > 0) throw damaged(`${missing.join(', ')} is missing: the file is damaged`);
  }
  const values = entries.map(([name, value]) => [name, decoded(schemas[name], value)]);
  let settings: Settings;
  try {
    settings = checkOptions(metadataSchema, Object.fromEntries(values)) as Settings;
  } catch (cause) {
    throw damaged((cause as Error).message, cause);
  }
  const problem = listProblem(settings);
  if (problem !== undefined) throw damaged(problem);
  return settings;
}

/**
 * Describes an adapter. The reader of adapters has derived `background` from the tensors if the file did not store it.
 */
export function adapterInfo(file: string, metadata: Record<string, string>): AdapterInfo {
  const { resolution, window, ...settings } = settingsOf(file, metadata);
  const { globalPrompt: global, anomalyPrompt: anomaly } = stableDiffusion.training;
  return {
    types: settings.types ?? [],
    prompts: settings.prompts ?? [{ global, anomaly }],
    ...(resolution === undefined ? {} : { resolution }),
    ...(window === undefined ? {} : { window }),
    examples: settings.examples ?? [],
    fit: settings.fit ?? 'crop',
    partFill: settings.part_fill ?? 'grey',
    background: metadata.background as AdapterInfo['background'],
    backgroundScaled: settings.background_scaled ?? false,
    metadata,
  };
}

/**
 * Checks the settings in an adapter file without loading its tensors. Throws ERR_WEIGHTS_INVALID as `adapterInfo` does.
 */
export async function checkAdapterFile(file: string): Promise<void> {
  settingsOf(file, await runNative({}, (engine, task) => engine.readMetadata(file, task)));
}
