/** The methods that find a mask in every pair. */
export const MASK_METHODS = ['u2net', 'attention', 'threshold'] as const;

/**
 * How a mask is found: in the part by a network or by its distance from the blank, by where the model looked, or for
 * variations of real pairs by where the defect was put.
 */
export type MaskMethod = (typeof MASK_METHODS)[number] | 'layout';
