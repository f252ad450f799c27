import { expect } from 'vitest';
import { WARNING } from '../../lib/core/warnings.js';
import { DualAnoDiffError } from '../../lib/index.js';

/** Expects the work to reject with an error of that code, whose message is one line and holds every text. */
export async function expectFailure(work: Promise<unknown>, code: string, ...texts: string[]): Promise<void> {
  const error = await work.then(
    () => undefined,
    (cause) => cause,
  );
  expect(error).toBeInstanceOf(DualAnoDiffError);
  expect({ code: error.code, lines: error.message.split('\n').length }).toEqual({ code, lines: 1 });
  for (const text of texts) expect(error.message).toContain(text);
}

/** The library's warnings that the work causes. Each is given once in a process. */
export async function warningsOf(work: () => Promise<unknown>): Promise<string[]> {
  const messages: string[] = [];
  const listen = (warning: Error) => {
    if (warning.name === WARNING) messages.push(warning.message);
  };
  process.on('warning', listen);
  try {
    await work();
    await new Promise(setImmediate); // Node emits warnings after the work that causes them.
  } finally {
    process.off('warning', listen);
  }
  return messages;
}
