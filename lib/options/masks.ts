/** Declares the options of masks. */
import { z } from 'zod';
import { deviceOptions } from './base.js';
import { oneOf, path, real, text } from './check.js';
import { maskMethods } from './names.js';
import { option } from './option.js';

const weights = { valueName: 'file', fallback: 'the embedded weights' };
export const maskWeights = option(
  path('a file').optional(),
  'advanced',
  'Make masks with these U2-Net weights, .pth or .safetensors.',
  weights,
);
export const maskThreshold = option(
  real(0, 1).optional(),
  'advanced',
  "Set the threshold of the first method's masks. It applies to saliency, attention, or the distance from the part's background.",
  { fallback: '0.5, or 0.12 for the method threshold' },
);

export const maskOptions = {
  mask: option(
    z.array(oneOf(maskMethods), `a list of ${maskMethods.join(', ')}`).default(['u2net']),
    'common',
    `Make masks by these methods: ${maskMethods.join(', ')}, or several of them, all, or none. The mask of the first method is written. With several, their agreement is recorded.`,
    { valueName: 'methods' },
  ),
  maskWeights,
  maskThreshold,
};
/** Refuses an option that none of the methods reads. */
export function refuseUnreadMaskOptions({
  value,
  issues,
}: z.core.ParsePayload<{ mask: string | readonly string[] } & WeightsAndThreshold>) {
  const { mask, maskWeights, maskThreshold } = value;
  const refuse = (name: string, message: string) =>
    issues.push({ code: 'custom', path: [name], message, input: value });
  if (maskWeights !== undefined && !mask.includes('u2net'))
    refuse('maskWeights', 'no weights without the method u2net');
  if (maskThreshold !== undefined && mask.length === 0) refuse('maskThreshold', 'no threshold without masks');
}

interface WeightsAndThreshold {
  maskWeights?: string | undefined;
  maskThreshold?: number | undefined;
}

export const maskSettingsSchema = z.strictObject(maskOptions).check(refuseUnreadMaskOptions);
export const keepBest = option(
  text().optional(),
  'advanced',
  'Drop pairs whose mask is empty, misses the part, or disagrees with other methods. 80% keeps the best 80 %. 0.5 keeps pairs whose IoU is at least 0.5.',
  { valueName: 'x', fallback: 'every pair is kept' },
);

/** Saliency and attention have this threshold by default. */
const SALIENCY_THRESHOLD = 0.5;
export const attentionSchema = z.strictObject({
  threshold: option(real(0, 1).default(SALIENCY_THRESHOLD), 'api', 'Set the smallest attention of a masked pixel.'),
});
export const maskerSchema = z.strictObject({
  ...deviceOptions,
  threshold: option(real(0, 1).default(SALIENCY_THRESHOLD), 'api', 'Set the smallest saliency of a masked pixel.'),
});
export const partFill = option(
  oneOf(['grey', 'black']).default('grey'),
  'advanced',
  'Tell the background of the parts.',
);
export const thresholdSchema = z.strictObject({
  partFill,
  threshold: option(
    real(0, 1).default(0.12),
    'api',
    "Set the smallest distance of a masked pixel from the part's background, as a share of the full range.",
  ),
});
