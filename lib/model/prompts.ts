/** Prompts that are longer than the text encoder reads. */
import type { NativePrompts } from '../addon-types.js';
import { InvalidOptionError } from '../core/errors.js';
import { warn } from '../core/warnings.js';
import { runNative } from '../run-native.js';

const SHOWN = 200;
const warned = new WeakMap<NativePrompts, Set<string>>();

/** The beginning and the end of what is too long to be shown. */
const shortened = (text: string, shown = SHOWN): string =>
  text.length <= shown ? text : `${text.slice(0, shown / 2)} ... ${text.slice(-shown / 2)}`;

/**
 * Warns of each prompt that has more tokens than the text encoder reads, once, and says what is left out.
 * `prompts` are pairs of what a prompt is called and its text.
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

/** Throws ERR_INVALID_OPTION for what is no list of texts. */
export function checkPrompts(prompts: readonly string[]): void {
  const isList = Array.isArray(prompts) && prompts.length > 0 && prompts.every((text) => typeof text === 'string');
  if (!isList) throw new InvalidOptionError('Expected a list of texts that is not empty for prompts');
}

/** Names for prompts that have none. */
export const quoted = (prompts: readonly string[]): [string, string][] =>
  prompts.map((text) => [`prompt "${shortened(text, 40)}"`, text]);
