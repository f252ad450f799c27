/** Limits the number of progress events, because training may take many steps in a second. */
import type { QueueEvent } from './job-queue.js';

const MIN_INTERVAL_MS = 250;

/**
 * Passes events on, but at most four progress events in a second. The first and the last one of a stage always pass, and
 * so do all other events.
 */
export function thinProgress<T extends QueueEvent>(
  emit: (event: T) => void,
  now: () => number = performance.now.bind(performance),
): (event: T) => void {
  let last: { what: string; at: number } | undefined;
  return (event) => {
    if (event.event !== 'progress') return emit(event);
    const what = JSON.stringify([event.stage, event.type, event.category, event.row, event.detector, event.seed]);
    const isWithin = last?.what === what && now() - last.at < MIN_INTERVAL_MS;
    if (isWithin && event.done !== event.total) return;
    last = { what, at: now() };
    emit(event);
  };
}
