/** Checks the keys of objects. A key is a path of checked names, so that it leads nowhere else in any kind of store. */
import { InvalidOptionError } from '../core/errors.js';

/** File systems limit a name, and S3 limits a key, to these numbers of bytes in UTF-8. */
const MAX_NAME_BYTES = 255;
const MAX_KEY_BYTES = 1024;

/** Returns true if a text is one name of a key: it is not hidden, and has no slash, backslash or control character. */
export function isKeyName(name: string): boolean {
  if (name === '' || name.startsWith('.') || name.trim() !== name) return false;
  if (/[/\\\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)) return false;
  return Buffer.byteLength(name.normalize('NFC')) <= MAX_NAME_BYTES;
}

/** Joins names and keys to one key, in NFC. Throws ERR_INVALID_OPTION with the part that is no name. */
export function storeKey(...parts: string[]): string {
  const names = parts.flatMap((part) => part.split('/'));
  const wrong = names.find((name) => !isKeyName(name));
  if (wrong !== undefined) {
    throw new InvalidOptionError(
      `Expected names without a dot in front, backslashes and control characters for ${JSON.stringify(parts.join('/'))} but received ${JSON.stringify(wrong)}`,
    );
  }
  const key = names.join('/').normalize('NFC');
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new InvalidOptionError(`Expected a key of at most ${MAX_KEY_BYTES} bytes but received ${key}`);
  }
  return key;
}
