/** Tells clients apart by their bearer tokens. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { InvalidOptionError, withFileErrors } from '../core/errors.js';

const MIN_LENGTH = 16;
const LINE = /^([\w.-]{1,64})[ \t]+(\S+)$/;

const digestOf = (token: string) => createHash('sha256').update(token).digest();

/** Keeps the digests of the tokens, so that comparing takes the same time for every token. */
export class Tokens {
  readonly #clients: { name: string; digest: Buffer }[] = [];

  /** Reads the tokens of a file, and adds that of `DUALANODIFF_TOKEN`. Throws ERR_FILE_ACCESS and ERR_INVALID_OPTION. */
  static async read(file: string | undefined, fromEnvironment: string | undefined): Promise<Tokens> {
    const tokens = new Tokens();
    if (fromEnvironment) tokens.#add('default', fromEnvironment, 'DUALANODIFF_TOKEN');
    if (file === undefined) return tokens;
    const text = await withFileErrors('read', file, () => readFile(file, 'utf8'));
    for (const [index, line] of text.split(/\r?\n/).entries()) {
      if (line.trim() === '' || line.startsWith('#')) continue;
      const where = `line ${index + 1} of ${file}`;
      const [, name, token] = LINE.exec(line.trim()) ?? [];
      // The line itself may hold a token, so that the message must not show it.
      if (name === undefined || token === undefined) throw new InvalidOptionError(`Expected NAME TOKEN in ${where}`);
      tokens.#add(name, token, where);
    }
    if (tokens.isEmpty) throw new InvalidOptionError(`Expected lines of NAME TOKEN in ${file} but found none`);
    return tokens;
  }

  get isEmpty(): boolean {
    return this.#clients.length === 0;
  }

  /** Returns the name of the client with the token of an Authorization header, or undefined. */
  clientOf(authorization: string | undefined): string | undefined {
    const [, token] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
    const digest = digestOf(token ?? '');
    let found: string | undefined;
    for (const client of this.#clients) if (timingSafeEqual(client.digest, digest)) found = client.name;
    return found;
  }

  #add(name: string, token: string, where: string): void {
    if (token.length < MIN_LENGTH)
      throw new InvalidOptionError(`Expected a token of at least ${MIN_LENGTH} characters in ${where}`);
    if (this.#clients.some((client) => client.name === name))
      throw new InvalidOptionError(`The name ${name} in ${where} is there twice`);
    this.#clients.push({ name, digest: digestOf(token) });
  }
}

/** Returns whether only programs on this machine can reach an address or host name. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '');
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

/** Refuses to open the service to other machines without tokens. Throws ERR_INVALID_OPTION. */
export function requireTokens(tokens: Tokens, host: string): void {
  if (!tokens.isEmpty || isLoopback(host)) return;
  throw new InvalidOptionError(
    `Expected tokens for the host ${host}, which other machines can reach: give --tokens or DUALANODIFF_TOKEN, or listen on 127.0.0.1`,
  );
}
