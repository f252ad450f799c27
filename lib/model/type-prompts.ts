/** Makes the prompts of the types that an adapter learns, and finds them again when it is sampled. */
import { InvalidOptionError } from '../core/errors.js';
import { GOOD_TYPE } from '../options/type-name.js';

/** The prompts of one type: that of the whole image, and that of the anomaly part. */
export interface TypePrompts {
  global: string;
  anomaly: string;
}

/** Photographs without a defect have prompts of their own, because templates name a defect. */
const GOOD_PROMPTS: TypePrompts = { global: '{category} without a defect', anomaly: 'no defect' };

/** Fills the dataset's names into a prompt, with spaces instead of underscores. */
function fillPrompt(template: string, category: string, type: string): string {
  return template.replace(/\{(category|type)\}/g, (_, name) =>
    (name === 'category' ? category : type).replaceAll('_', ' '),
  );
}

/**
 * Returns the prompts of each type. In the templates, `{category}` and `{type}` stand for the dataset's names. With
 * several types, a template without `{type}` gets the type at its end, so that no two types share a prompt.
 */
export function promptsOfTypes(templates: TypePrompts, category: string, types: readonly string[]): TypePrompts[] {
  const complete = (template: string) =>
    types.length === 1 || template.includes('{type}') ? template : `${template} {type}`.trim();
  return types.map((type) => {
    const { global, anomaly } =
      type === GOOD_TYPE ? GOOD_PROMPTS : { global: complete(templates.global), anomaly: complete(templates.anomaly) };
    return { global: fillPrompt(global, category, type), anomaly: fillPrompt(anomaly, category, type) };
  });
}

/** The types of an adapter and their prompts. */
interface Learned {
  types: readonly string[];
  /** One for each type. An adapter without types has one. */
  prompts: readonly TypePrompts[];
}

/** A type of an adapter. */
export interface LearnedType {
  /** The place of the type in the adapter's list of types, or 0 if the adapter stores none. */
  index: number;
  name: string;
  prompts: TypePrompts;
}

/** Pairs of an adapter that stores no types get this type if the user names none. */
const UNNAMED_TYPE = 'anomaly';

/**
 * Finds `name` among the types of an adapter that are on `offer`, which are all of them by default. An adapter that
 * stores no types has one pair of prompts, and `name` only names its pairs. Throws ERR_INVALID_OPTION for a type that is
 * not on offer, and if several are and `name` is undefined.
 */
export function learnedType(
  { types, prompts }: Learned,
  name: string | undefined,
  offer: readonly string[] = types,
): LearnedType {
  if (types.length === 0) return { index: 0, name: name ?? UNNAMED_TYPE, prompts: prompts[0] as TypePrompts };
  const chosen = name ?? (offer.length === 1 ? offer[0] : undefined);
  if (chosen !== undefined && offer.includes(chosen)) {
    const index = types.indexOf(chosen);
    return { index, name: chosen, prompts: prompts[index] as TypePrompts };
  }
  const received = name === undefined ? 'nothing' : JSON.stringify(name);
  throw new InvalidOptionError(
    `Expected one of ${offer.join(', ')} for type but received ${received}: choose a type that the adapter has learned`,
  );
}
