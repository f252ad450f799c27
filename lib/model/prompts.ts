/** Checks prompts, and warns of those that are too long for the text encoder. */
import type { NativePrompts } from '../addon-types.js';
import { InvalidOptionError } from '../core/errors.js';
import { warn } from '../core/warnings.js';
import { runNative } from '../run-native.js';
import type { TypePrompts } from './type-prompts.js';

const MAX_SHOWN_CHARACTERS = 200;
const warned = new WeakMap<NativePrompts, Set<string>>();

/** Shortens a text to its beginning and its end if it is too long for a message. */
const shortened = (text: string, shown = MAX_SHOWN_CHARACTERS): string =>
  text.length <= shown ? text : `${text.slice(0, shown / 2)} ... ${text.slice(-shown / 2)}`;

/**
 * Warns once of each prompt that has more tokens than the text encoder reads, with the words that are left out.
 * `prompts` are pairs of a name for the prompt and its text.
 */
export async function warnOfLongPrompts(
  model: NativePrompts,
  prompts: readonly (readonly [name: string, text: string])[],
): Promise<void> {
  const known = warned.get(model) ?? new Set();
  warned.set(model, known);
  const fresh = prompts.filter(([, text]) => !known.has(text));
  for (const [, text] of fresh) known.add(text);
  if (fresh.length === 0) return;
  const texts = fresh.map(([, text]) => text);
  const { maxTokens, leftOut } = await runNative({}, (_, task) => model.checkPrompts(texts, task));
  for (const [i, words] of leftOut.entries()) {
    if (words === '') continue;
    warn(
      `The ${fresh[i]?.[0]} has more than ${maxTokens} tokens, which is what the text encoder reads. Left out: "${shortened(words)}"`,
    );
  }
}

/** Throws ERR_INVALID_OPTION for anything but a non-empty list of texts. */
export function checkPrompts(prompts: readonly string[]): void {
  const isList = Array.isArray(prompts) && prompts.length > 0 && prompts.every((text) => typeof text === 'string');
  if (!isList) throw new InvalidOptionError('Expected a list of texts that is not empty for prompts');
}

/** Names each prompt by its own text, for warnings. */
export const quoted = (prompts: readonly string[]): [string, string][] =>
  prompts.map((text) => [`prompt "${shortened(text, 40)}"`, text]);

/** Names the prompts of a type, for warnings. */
export const namedPrompts = ({ global, anomaly }: TypePrompts): [string, string][] => [
  ['global prompt', global],
  ['anomaly prompt', anomaly],
];
