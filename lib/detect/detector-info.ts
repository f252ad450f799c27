/** Reads and writes the settings that the file of a detector stores. */
import { z } from 'zod';
import { ModelError } from '../core/errors.js';
import { DETECTORS } from './kinds.js';
import type { View } from './scored.js';

/** A score of at least the threshold is called a defect. */
export interface Thresholds {
  pixel: number;
  image: number;
}

const finite = z.number('a finite number');
export const thresholdsSchema = z.strictObject({ pixel: finite, image: finite }, 'the thresholds pixel and image');

/** Describes a fitted detector. */
export interface DetectorInfo extends View {
  /** The name of the detector, such as `unet`. */
  name: string;
  /** The name of the backbone that it compares images by. It is undefined if it has none. */
  backbone: string | undefined;
  /** They are undefined if nobody has chosen them. */
  thresholds: Thresholds | undefined;
  /** The metadata of its file. */
  metadata: Readonly<Record<string, string>>;
}

/** This name in the metadata marks files of detectors. */
const FORMAT = 'dualanodiff-detector';

const MULTIPLE = 'expected a multiple of 32';
const numeral = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/;
const number = z.string().regex(numeral, 'expected a number').transform(Number);
const stored = z.looseObject({
  detector: z.string(),
  backbone: z.string().optional(),
  resolution: z
    .string()
    .regex(/^\d+$/, 'expected a number of pixels')
    .transform(Number)
    .pipe(z.number().min(32, 'expected 32 to 4096').max(4096, 'expected 32 to 4096').multipleOf(32, MULTIPLE)),
  tiles: z.enum(['true', 'false'], 'expected true or false'),
  pixel_threshold: number.optional(),
  image_threshold: number.optional(),
});

/** Returns the metadata that `detectorInfo` reads. The engine adds its own. */
export function detectorMetadata(
  { resolution, tiles }: View,
  thresholds: Thresholds | undefined,
): Record<string, string> {
  return {
    resolution: String(resolution),
    tiles: String(tiles),
    ...(thresholds && { pixel_threshold: String(thresholds.pixel), image_threshold: String(thresholds.image) }),
  };
}

/** Reads the settings of a detector file. Throws ERR_WEIGHTS_INVALID with the file and what is wrong. */
export function detectorInfo(file: string, metadata: Readonly<Record<string, string>>): DetectorInfo {
  if (metadata.format !== FORMAT) {
    throw new ModelError(`${file} is not a detector that this package has saved`, 'ERR_WEIGHTS_INVALID');
  }
  const damaged = (text: string) => new ModelError(`${file} is a damaged detector: ${text}`, 'ERR_WEIGHTS_INVALID');
  const { data, error } = stored.safeParse(metadata);
  if (!data) {
    const [issue] = error.issues;
    throw damaged(`${issue?.path.join('.')}: ${issue?.message}`);
  }
  // The engine refuses names that it does not know.
  const kind = Object.values(DETECTORS).find(({ name }) => name === data.detector);
  if (kind && data.resolution < kind.leastSide) {
    throw damaged(`resolution: expected at least ${kind.leastSide} for ${kind.name}`);
  }
  const { pixel_threshold: pixel, image_threshold: image } = data;
  return {
    name: data.detector,
    backbone: data.backbone === '' ? undefined : data.backbone,
    resolution: data.resolution,
    tiles: data.tiles === 'true',
    thresholds: pixel === undefined || image === undefined ? undefined : { pixel, image },
    metadata,
  };
}
