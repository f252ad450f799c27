/** Who guesses tokens is stopped, and clients with right tokens are not. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GuessLimit } from '../../lib/service/guess-limit.js';
import { scratchFolder } from '../helpers/scratch.js';
import { openService } from '../helpers/service.js';

const scratch = scratchFolder();
const TOKEN = 'a-token-that-is-long-enough';
/** The limit for one address, and that for one end of connections. */
const [MAX, MAX_OF_PEER] = [20, 200];

const sender = (address: string, peer = 'proxy') => ({ address, peer });
function tryWrong(limit: GuessLimit, times: number, from = sender('guesser')): number {
  let seconds = 0;
  for (let k = 0; k < times; k++) seconds = limit.count(from, undefined);
  return seconds;
}

describe('a limit of wrong tokens', () => {
  it('refuses an address after some, right tokens too, until a minute has passed', () => {
    let now = 0;
    const limit = new GuessLimit(() => now);
    expect(tryWrong(limit, MAX)).toBe(0);
    now = 20_500;
    expect(limit.count(sender('guesser'), undefined)).toBe(40);
    expect(limit.count(sender('guesser'), 'anna')).toBe(40); // Otherwise the guesser would learn that it was right.
    now = 60_000;
    expect(limit.count(sender('guesser'), 'anna')).toBe(0);
  });

  it('lets in clients that the address had before, and those of other addresses', () => {
    const limit = new GuessLimit(() => 0);
    limit.count(sender('guesser'), 'anna');
    tryWrong(limit, MAX + 1);
    expect(limit.count(sender('guesser'), 'anna')).toBe(0);
    expect(limit.count(sender('guesser'), 'plant-2')).toBe(60);
    expect(limit.count(sender('another'), 'plant-2')).toBe(0);
  });

  it('ends for nobody by made up addresses of one end of connections', () => {
    const limit = new GuessLimit(() => 0);
    limit.count(sender('a'), 'anna');
    for (let k = 0; k < MAX_OF_PEER; k++) limit.count(sender(`made-up-${k}`), undefined);
    expect(limit.count(sender('another'), undefined)).toBe(60);
    expect(limit.count(sender('a'), 'anna')).toBe(60);
    expect(limit.count(sender('a', 'another end'), 'anna')).toBe(0);
  });
});

describe('a service', () => {
  it('answers 429 to too many wrong tokens, and still serves the client that it knows', async () => {
    await using made = await openService(join(scratch, 'guessed'), { token: TOKEN });
    const get = (token: string, from?: string) =>
      made.app.inject({
        ...{ url: '/v1/jobs' },
        headers: { ...(token && { authorization: `Bearer ${token}` }), ...(from && { 'x-forwarded-for': from }) },
      });
    expect((await get(TOKEN)).statusCode).toBe(200);
    for (let k = 0; k < MAX; k++) expect((await get(`guess-${k}`)).statusCode).toBe(401);
    const refused = await get('another-guess');
    expect([refused.statusCode, refused.json().error.code]).toEqual([429, 'ERR_RATE_LIMITED']);
    const seconds = Number(refused.headers['retry-after']);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    expect((await get('')).statusCode).toBe(401); // A request without a token guesses nothing.
    expect((await get(TOKEN)).statusCode).toBe(200);
    expect((await get(TOKEN, '192.0.2.1')).statusCode).toBe(200); // A proxy on this machine tells of another address.
    expect((await get('a-guess', '192.0.2.1')).statusCode).toBe(401);
    expect(made.log.join('')).toContain('too many wrong tokens');
    expect(made.log.join('')).not.toContain('guess-');
  });
});
