/** Measures the content of an object while it is written or read. */
import { createHash } from 'node:crypto';
import type { Content, WrittenObject } from './store.js';

/** Passes content on and counts its bytes. `measured` returns the size and the digest after the last chunk. */
export function measure(content: Content): { chunks: AsyncIterable<Uint8Array>; measured: () => WrittenObject } {
  const hash = createHash('sha256');
  let size = 0;
  async function* chunks() {
    const parts = typeof content === 'string' || content instanceof Uint8Array ? [Buffer.from(content)] : content;
    for await (const chunk of parts) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  }
  return { chunks: chunks(), measured: () => ({ size, sha256: hash.digest('hex') }) };
}
