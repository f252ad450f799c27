/** These methods find a mask in every pair. */
export const MASK_METHODS = ['u2net', 'attention', 'threshold'] as const;

/**
 * A mask is found in the part, by a network or by the distance from the blank, or in the model's attention maps. Variations
 * of real pairs carry their own.
 */
export type MaskMethod = (typeof MASK_METHODS)[number] | 'layout';
