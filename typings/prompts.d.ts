/** Prompts that are longer than the text encoder reads. */
import type { NativePrompts } from './addon-types.js';
/**
 * Warns of each prompt that has more tokens than the text encoder reads, once, and says what is left out.
 * `prompts` are pairs of what a prompt is called and its text.
 */
export declare function warnOfLongPrompts(model: NativePrompts, prompts: readonly (readonly [name: string, text: string])[]): Promise<void>;
/** Throws ERR_INVALID_OPTION for what is no list of texts. */
export declare function checkPrompts(prompts: readonly string[]): void;
/** Names for prompts that have none. */
export declare const quoted: (prompts: readonly string[]) => [string, string][];
