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

/**
 * Returns the type of the pairs and its prompts. An adapter that stores no types has one pair of prompts, and `type`
 * only names the pairs. Throws ERR_INVALID_OPTION for a type that the adapter has not learned, and if the adapter has
 * learned several and `type` is undefined.
 */
export function promptsFor(
  { types, prompts }: Learned,
  type: string | undefined,
): { type: string | undefined; prompts: TypePrompts } {
  const [first] = prompts as readonly [TypePrompts];
  if (types.length === 0) return { type, prompts: first };
  if (type === undefined) {
    if (types.length === 1) return { type: types[0], prompts: first };
    throw new InvalidOptionError(
      `Expected one of ${types.join(', ')} for type but received nothing: the adapter has learned several types`,
    );
  }
  const at = types.indexOf(type);
  if (at >= 0) return { type, prompts: prompts[at] as TypePrompts };
  throw new InvalidOptionError(
    `Expected one of ${types.join(', ')} for type but received ${JSON.stringify(type)}: the adapter has not learned it`,
  );
}
