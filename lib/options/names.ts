/** The words that options choose from. */

export const schedulers = ['pndm', 'ddim', 'ddpm', 'euler', 'dpmsolver++', 'dpmsolver++-karras', 'unipc'] as const;

/** How a photograph that is not square becomes a square: a square part of it, or all of it squeezed. */
export const fits = ['crop', 'stretch'] as const;
export type Fit = (typeof fits)[number];

/** How the mask of an anomaly part is found. */
export const maskMethods = ['u2net', 'attention', 'threshold'] as const;

/** `exact` masks are those of pairs that were made with their mask. */
export type MaskMethod = (typeof maskMethods)[number] | 'exact';

/** How pairs come about. */
export const recipes = ['noise', 'augment'] as const;
export type RecipeName = (typeof recipes)[number];

/** What an evaluation compares pairs with. */
export const baselines = ['none', 'crop-paste', 'draem'] as const;
export const protocols = ['paper', 'small'] as const;

/** Variants of `noise` without one part of the method, for developers: what each part is worth can be measured. */
export const ablations = ['one-prompt', 'no-saim', 'one-branch', 'background'] as const;
export type AblationName = (typeof ablations)[number];
