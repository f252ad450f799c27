/** Makes the identifiers of jobs: 32 hexadecimal digits. */
import { createHash, randomBytes } from 'node:crypto';

/** Returns the identifier of a new job. The same idempotency key always gives the same identifier. */
export function jobIdOf(idempotencyKey: string | undefined): string {
  if (idempotencyKey === undefined) return randomBytes(16).toString('hex');
  return createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 32);
}
