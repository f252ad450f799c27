/** Says which recipe suits data. */
import type { RecipeName } from '../options/names.js';
import type { TypeCheck } from './check-type.js';

/** A recipe, and the sentence that says why. */
export interface Advice {
  recipe: RecipeName;
  reason: string;
}

/** `augment` and `place` need some good photographs, because each pair shows one of them. */
const FEW_GOOD = 5;

/** Advises a recipe by the number of good photographs and by the size of the defects. */
export function adviseRecipe(good: number, types: readonly Pick<TypeCheck, 'window' | 'usable'>[]): Advice {
  if (good === 0) return { recipe: 'noise', reason: 'there are no good images, which the other recipes need' };
  if (good < FEW_GOOD) {
    return { recipe: 'noise', reason: `there are only ${good} good images, so the other recipes would repeat them` };
  }
  const inWindows = types.filter(({ window }) => window !== 'off').length;
  if (2 * inWindows > types.length) {
    return { recipe: 'place', reason: 'the defects are small in their photographs, which it leaves as they are' };
  }
  return { recipe: 'augment', reason: 'the defects are large in their photographs, and it needs no training' };
}
