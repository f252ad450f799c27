/** Completes the settings of placing defects with what the adapter stores. */
import type { z } from 'zod';
import type { NativeExample, NativePlaceOptions } from '../../addon-types.js';
import { InvalidOptionError } from '../../core/errors.js';
import type { DefectPosition } from '../../dataset/object-frame.js';
import { given } from '../../options/check.js';
import type { placeSchema } from '../../options/place.js';
import { GOOD_TYPE } from '../../options/type-name.js';
import type { AdapterInfo } from '../adapter-info.js';
import type { BaseModel } from '../base-model.js';
import { nativeSampling, resolveSampling } from '../sampling-settings.js';
import { learnedType } from '../type-prompts.js';
import { wholeExamples } from './soft-place.js';

/** Starts from this share of noise by default, because a defect of pure noise often stays blank. */
const DEFAULT_STRENGTH = 0.75;

type Settings = Omit<z.output<typeof placeSchema>, 'where' | 'whereNot' | 'count' | 'like'>;

/** Holds complete settings. */
export interface ResolvedPlacing {
  type: string;
  /** The place of the type among those of the adapter. */
  typeIndex: number;
  /** The training defects that are placed. */
  examples: readonly NativeExample[];
  /** The centres of training defects in their photographs. */
  centres: ReadonlyMap<NativeExample, DefectPosition>;
  window: number | 'off';
  native: NativePlaceOptions;
  batchSize: number;
  /** True if places or the adapter depend on the foregrounds of the photographs. */
  readsForeground: boolean;
}

/** Returns the window of an adapter. Throws ERR_INVALID_OPTION if the option and the adapter do not go together. */
function windowOf(info: Pick<AdapterInfo, 'window'>, window: number | undefined): number | 'off' {
  if (info.window === undefined) {
    if (window !== undefined) return window;
    throw new InvalidOptionError(
      'The adapter does not store the scale of its training: give window, the pixels of a photograph that a window of training had along each side',
    );
  }
  if (window === undefined || window === info.window) return info.window;
  const stored = info.window === 'off' ? 'whole photographs' : `windows of ${info.window} pixels`;
  throw new InvalidOptionError(`The adapter was trained on ${stored}: leave out window, which is ${window}`);
}

/** Completes the settings. Throws ERR_INVALID_OPTION. */
export function resolvePlacing(
  { type, strength, window, ...settings }: Settings,
  model: BaseModel,
  info: AdapterInfo,
  stored: readonly NativeExample[],
  isAutomatic: boolean,
): ResolvedPlacing {
  // Photographs without a defect may be among the types, but they have no defect to place.
  const defects = info.types.filter((one) => one !== GOOD_TYPE);
  const { index, name, prompts } = learnedType(info, type, defects);
  const ofType = stored.filter((example) => example.type === index);
  const examples = isAutomatic ? wholeExamples(ofType) : ofType;
  const lacks = 'The adapter stores no training defects';
  if (isAutomatic && examples.length === 0) {
    throw new InvalidOptionError(`${lacks}, which places of auto are made of: give where, a mask or a box`);
  }
  if (strength !== undefined && strength < 1 && examples.length === 0) {
    throw new InvalidOptionError(`${lacks} to start from: expected 1 for strength but received ${strength}`);
  }
  if (!isAutomatic && settings.perPhotograph > 1) {
    throw new InvalidOptionError(
      `Expected 1 for perPhotograph with where but received ${settings.perPhotograph}: only auto finds several places`,
    );
  }
  const { steps, guidanceScale, scheduler, seed, batchSize } = settings;
  const sampling = resolveSampling({ guidanceScale, seed, batchSize, ...given({ steps, scheduler }) }, model, {
    ...info,
    types: [name],
    prompts: [prompts],
  });
  const share = strength ?? (examples.length > 0 ? DEFAULT_STRENGTH : 1);
  if (Math.trunc(sampling.steps * share) < 1) {
    throw new InvalidOptionError(
      `Expected at least ${1 / sampling.steps} for strength with ${sampling.steps} steps but received ${share}: no step would remain`,
    );
  }
  return {
    ...{ type: name, typeIndex: index, examples, batchSize },
    centres: centresOf(examples, info),
    window: windowOf(info, window),
    readsForeground: isAutomatic || info.background !== 'off' || settings.foregroundMasks !== undefined,
    native: { ...nativeSampling(sampling, false), strength: share },
  };
}

/** Returns the centres that the adapter stores for training defects. */
function centresOf(
  examples: readonly NativeExample[],
  info: Pick<AdapterInfo, 'examples'>,
): ResolvedPlacing['centres'] {
  return new Map(
    examples.flatMap((example) => {
      const centre = info.examples.find(({ region }) => region === example.region);
      return centre ? [[example, centre] as const] : [];
    }),
  );
}
