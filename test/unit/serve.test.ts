/** What the service refuses before it listens, and its file of tokens. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requireMemory } from '../../lib/service/open-queue.js';
import { serve } from '../../lib/service/serve.js';
import { Tokens } from '../../lib/service/tokens.js';
import { expectFailure } from '../helpers/failures.js';
import { scratchFolder } from '../helpers/scratch.js';

const scratch = scratchFolder();

describe('serve', () => {
  it.each<[string, object, string, string]>([
    [
      'other machines without tokens',
      { host: '0.0.0.0' },
      'ERR_INVALID_OPTION',
      'Expected tokens for the host 0.0.0.0',
    ],
    [
      'a bucket without Redis',
      { store: 's3://bucket/x' },
      'ERR_INVALID_OPTION',
      'Expected redis with the store s3://bucket',
    ],
    ['workers without Redis', { workers: 2 }, 'ERR_INVALID_OPTION', 'Expected redis with 2 workers'],
    ['a file of tokens that is not there', { tokens: '/none' }, 'ERR_FILE_ACCESS', 'Cannot read /none'],
    ['a port that is none', { port: 70_000 }, 'ERR_INVALID_OPTION', 'for port'],
  ])('refuses %s', async (_, options, code, message) => {
    const context = { signal: AbortSignal.abort(), onListening: () => {} };
    const serving = serve({ store: join(scratch, 'none'), workFolder: join(scratch, 'work'), ...options }, context);
    await expectFailure(serving, code, message);
  });

  it('refuses jobs that need more memory than the machine has', () => {
    requireMemory(8e9, 8e9);
    expect(() => requireMemory(9e9, 8e9)).toThrow(
      'The job needs about 9.0 GB of memory, and this machine has 8.0 GB: choose a smaller batch or resolution',
    );
  });

  it('takes the tokens of a file, and says which line is wrong without showing it', async () => {
    const file = join(scratch, 'tokens');
    writeFileSync(file, '# clients\nanna a-long-token-of-anna\n\nplant-2 another-long-token\n');
    const tokens = await Tokens.read(file, undefined);
    expect(tokens.clientOf('Bearer another-long-token')).toBe('plant-2');
    expect(tokens.clientOf('Bearer a-long-token-of-ann')).toBeUndefined();
    for (const line of [
      'a-secret-without-a-name',
      'anna short',
      'anna a-long-token-of-anna\nanna another-long-token',
    ]) {
      writeFileSync(file, `${line}\n`);
      const error = await Tokens.read(file, undefined).catch((cause) => cause);
      expect(error).toMatchObject({ code: 'ERR_INVALID_OPTION', message: expect.stringContaining('line') });
      expect(error.message).not.toMatch(/secret|short|long/);
    }
  });
});
