/** What an adapter says of itself. Its metadata pass the same schemas as the options that they come from. */
import { z } from 'zod';
import { ModelError } from '../core/errors.js';
import { above, checkOptions, integer, oneOf, text } from '../options/check.js';
import type { Fit } from '../options/names.js';
import { stableDiffusion } from '../options/stable-diffusion.js';
import { trainerSchema } from '../options/training.js';
import { runNative } from '../run-native.js';

/** What an adapter says of itself. Files of the published code say nothing: theirs is what that code does. */
export interface AdapterInfo {
  type?: string;
  partFill: 'grey' | 'black';
  globalPrompt: string;
  anomalyPrompt: string;
  /** Pixels along each side of the training images. */
  resolution?: number;
  /** How the training images were brought to that. */
  fit: Fit;
  /** Background compensation, which needs backgrounds to sample. */
  background: 'off' | 'add' | 'interpolate';
  /** Whether it was trained on background latents that are scaled by the autoencoder's factor; published ones were not. */
  backgroundScaled: boolean;
  metadata: Readonly<Record<string, string>>;
}

/** The own format's name, in the metadata. */
const FORMAT = 'dualanodiff-adapter';

/** Options that the metadata of adapters and checkpoints know by the name that they had in version 0.1.0. */
const OLDER_NAMES: Readonly<Record<string, string>> = { defectLossShare: 'defectShare' };

/** What the metadata of adapters and checkpoints call an option. */
export const metadataKey = (option: string): string =>
  (OLDER_NAMES[option] ?? option).replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

// Where the foregrounds came from is in the digest of the images; checkpointing changes nothing.
const { foregroundMasks: _, foregroundWeights: __, gradientCheckpointing: ___, ...trained } = trainerSchema.shape;
/** A schema without its default: what a file does not say is not what an option would be. */
function bare(schema: z.ZodType): z.ZodType {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) inner = inner.unwrap() as z.ZodType;
  return inner;
}

const schemas: Record<string, z.ZodType> = {
  ...Object.fromEntries(Object.entries(trained).map(([name, schema]) => [metadataKey(name), bare(schema)])),
  part_fill: oneOf(['grey', 'black']), // `auto` is decided when training begins
  format: text(),
  format_version: integer(1),
  lora_scale: above(0, 100),
  saim_rank: integer(1),
  latent_levels: text(),
  steps: integer(1),
  base: text(),
  base_fingerprint: text().min(1, 'a fingerprint'),
  dtype: oneOf(['float32', 'bfloat16', 'float16']),
  training_images: text().min(1, 'a digest'),
};
const metadataSchema = z.strictObject(schemas).partial();

/** What is written with every adapter that was trained, and decides how it is used. */
const OF_TRAINING = [
  ...['type', 'resolution', 'fit', 'part_fill', 'branches', 'background_scaled'],
  ...['global_prompt', 'anomaly_prompt'],
];

/** The number that a text is and nothing besides; NaN for anything else. */
export const numberFrom = (value: string): number => (/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value) ? Number(value) : NaN);

/** A text as the type of its option; itself where it cannot be read so. */
function decoded(schema: z.ZodType | undefined, value: string): unknown {
  if (schema instanceof z.ZodNumber) return Number.isNaN(numberFrom(value)) ? value : numberFrom(value);
  if (schema instanceof z.ZodBoolean) return value === 'true' ? true : value === 'false' ? false : value;
  return value;
}

interface Settings {
  type?: string;
  resolution?: number;
  fit?: AdapterInfo['fit'];
  part_fill?: AdapterInfo['partFill'];
  global_prompt?: string;
  anomaly_prompt?: string;
  background_scaled?: boolean;
}

/**
 * The settings in the metadata of an adapter of the own format, none of other files'. Names that begin with `_` are notes.
 * Throws ERR_WEIGHTS_INVALID naming the file, the setting and its value where one is damaged, out of range or not known.
 */
function settingsOf(file: string, metadata: Readonly<Record<string, string>>): Settings {
  if (metadata.format !== FORMAT) return {};
  const entries = Object.entries(metadata).filter(([name]) => !name.startsWith('_'));
  const unknown = entries
    .filter(([name]) => !Object.hasOwn(schemas, name))
    .map(([name, value]) => `${name} = ${value.slice(0, 80)}`);
  const damaged = (what: string, cause?: unknown) =>
    new ModelError(`The metadata of ${file}: ${what}`, 'ERR_WEIGHTS_INVALID', { cause });
  if (unknown.length > 0) throw damaged(`${unknown.join(', ')} is not known to this version: update the package`);
  if (metadata.training_images !== undefined) {
    const missing = OF_TRAINING.filter((name) => metadata[name] === undefined);
    if (missing.length > 0) throw damaged(`${missing.join(', ')} is missing: the file is damaged`);
  }
  const values = entries.map(([name, value]) => [name, decoded(schemas[name], value)]);
  try {
    const checked: unknown = checkOptions(metadataSchema, Object.fromEntries(values));
    return checked as Settings;
  } catch (cause) {
    throw damaged((cause as Error).message, cause);
  }
}

/** `background` is in the metadata of every adapter that was read: its tensors say it where the file does not. */
export function adapterInfo(file: string, metadata: Record<string, string>): AdapterInfo {
  const { type, resolution, ...settings } = settingsOf(file, metadata);
  return {
    ...(type === undefined ? {} : { type }),
    ...(resolution === undefined ? {} : { resolution }),
    fit: settings.fit ?? 'crop',
    partFill: settings.part_fill ?? 'grey',
    globalPrompt: settings.global_prompt ?? stableDiffusion.training.globalPrompt,
    anomalyPrompt: settings.anomaly_prompt ?? stableDiffusion.training.anomalyPrompt,
    background: metadata.background as AdapterInfo['background'],
    backgroundScaled: settings.background_scaled ?? false,
    metadata,
  };
}

/** Throws ERR_WEIGHTS_INVALID as `adapterInfo` does, for a file that nothing is to be sampled from. */
export async function checkAdapterFile(file: string): Promise<void> {
  settingsOf(file, await runNative({}, (engine, task) => engine.readMetadata(file, task)));
}
