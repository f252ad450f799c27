/** Options of masks. */
import { z } from 'zod';
import { deviceOptions } from './base.js';
import { oneOf, path, real, text } from './check.js';
import { maskMethods } from './names.js';
import { option } from './option.js';

const weights = { placeholder: 'file', fallback: 'the embedded ones' };
export const maskWeights = option(
  path('a file').optional(),
  'advanced',
  'U2-Net weights for masks, .pth or .safetensors.',
  weights,
);
export const maskThreshold = option(
  real(0, 1).optional(),
  'advanced',
  "Threshold of the first method's masks: of saliency or attention, or of the distance from the part's background.",
  { fallback: '0.5, or 0.12 for the method threshold' },
);

export const maskOptions = {
  mask: option(
    z.array(oneOf(maskMethods), `a list of ${maskMethods.join(', ')}`).default(['u2net']),
    'common',
    `How masks are made: ${maskMethods.join(', ')}, or several of them, all, or none. The first one's mask is written; of several, their agreement is recorded.`,
    { placeholder: 'methods' },
  ),
  maskWeights,
  maskThreshold,
};
export const maskSettingsSchema = z.strictObject(maskOptions);
export const keepBest = option(
  text().optional(),
  'advanced',
  'Drop pairs whose mask is empty, covers nothing of the part, or disagrees with other methods: 80% keeps the best, 0.5 those with at least such an IoU.',
  { placeholder: 'x', fallback: 'every pair is kept' },
);

/** Thresholds where none is given. */
const SALIENCY_THRESHOLD = 0.5;
export const attentionSchema = z.strictObject({
  threshold: option(real(0, 1).default(SALIENCY_THRESHOLD), 'api', 'Smallest attention of a masked pixel.'),
});
export const maskerSchema = z.strictObject({
  ...deviceOptions,
  threshold: option(real(0, 1).default(SALIENCY_THRESHOLD), 'api', 'Smallest saliency of a masked pixel.'),
});
export const partFill = option(oneOf(['grey', 'black']).default('grey'), 'advanced', 'Background of the parts.');
export const thresholdSchema = z.strictObject({
  partFill,
  threshold: option(
    real(0, 1).default(0.12),
    'api',
    "Smallest distance of a masked pixel from the part's background, as a share of the full range.",
  ),
});
