/** Declares the lists in the metadata of adapters: types, prompts and examples. They are stored as JSON. */
import { z } from 'zod';
import { type DefectPosition, MAX_SPREADS } from '../dataset/object-frame.js';
import { above, integer, oneOf, real, text } from '../options/check.js';
import { stableDiffusion } from '../options/stable-diffusion.js';
import { types, windowSide } from '../options/training.js';
import type { TypePrompts } from './type-prompts.js';

/** A defect of a training photograph. Its position is the centre of the box around it, in the photograph. */
export interface TrainedExample extends DefectPosition {
  /** The place of its type in the adapter's list of types. */
  type: number;
  /** The number of its region. The adapter's file stores images of regions under these numbers. */
  region: number;
}

/** More entries than these do not come from a training. */
const MAX_TYPES = 1000;
const MAX_EXAMPLES = 100_000;

const prompts = z.strictObject({ global: text(), anomaly: text() }, 'an object { global, anomaly }');
const objectPlace = z.strictObject(
  {
    ...{ u: real(-MAX_SPREADS, MAX_SPREADS), v: real(-MAX_SPREADS, MAX_SPREADS), angle: real(-Math.PI, Math.PI) },
    axis: oneOf(['none', 'unsigned', 'signed']),
    inside: above(0, 1),
  },
  'an object { u, v, angle, axis, inside }',
);
const example = z.strictObject(
  {
    ...{ type: integer(0, MAX_TYPES), region: integer(0, MAX_EXAMPLES), x: real(0, 1), y: real(0, 1) },
    object: objectPlace.optional(),
  },
  'an object { type, region, x, y } or { type, region, x, y, object }',
);

/** The schemas of the settings that have no option of the same form. */
export const listSchemas = {
  types: types.max(MAX_TYPES, `at most ${MAX_TYPES} types`),
  prompts: z.array(prompts, 'a list of prompts').min(1, 'at least one entry').max(MAX_TYPES, `at most ${MAX_TYPES}`),
  window: z.union([oneOf(['off']), windowSide()], 'off or an integer 8..16384'),
  examples: z.array(example, 'a list of examples').max(MAX_EXAMPLES, `at most ${MAX_EXAMPLES} examples`),
};

/** Holds the lists of a file. */
export interface AdapterLists {
  types?: string[];
  prompts?: TypePrompts[];
  examples?: TrainedExample[];
}

/** Returns what is wrong with lists that do not fit each other, or undefined. */
export function listProblem({ types = [], prompts = [], examples = [] }: AdapterLists): string | undefined {
  if (types.length > 0 && prompts.length !== types.length) {
    return `expected ${types.length} prompts, one for each type, but found ${prompts.length}`;
  }
  const lost = examples.find(({ type }) => type >= Math.max(1, types.length));
  return lost && `expected an example of the types 0 to ${types.length - 1} but found type ${lost.type}`;
}

/** Returns metadata with the lists of this version in place of the single type and prompts of version 0.1.0. */
export function renewed(metadata: Readonly<Record<string, string>>): Record<string, string> {
  const { type, global_prompt, anomaly_prompt, ...rest } = metadata;
  if (type === undefined || 'types' in metadata) return metadata;
  const { globalPrompt, anomalyPrompt } = stableDiffusion.training;
  const prompts = { global: global_prompt ?? globalPrompt, anomaly: anomaly_prompt ?? anomalyPrompt };
  return {
    ...rest,
    types: JSON.stringify([type]),
    prompts: JSON.stringify([prompts]),
    window: 'off',
    examples: '[]',
    recipe: 'both',
  };
}
