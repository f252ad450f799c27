import { useLayoutEffect, useRef } from 'preact/hooks';
import { commandOf, type Keys } from './keys.js';

/** Runs the handlers of commands when their keys are pressed anywhere on the page, but not behind a dialog. */
export function useKeys<Command extends string>(
  keys: Keys<Command>,
  handlers: Partial<Record<NoInfer<Command>, (event: KeyboardEvent) => void>>,
  isActive = true,
): void {
  const latest = useRef(handlers);
  latest.current = handlers;
  // Keys work from the moment that the page shows what they are for. An ordinary effect would run only after that.
  useLayoutEffect(() => {
    if (!isActive) return undefined;
    const onKeyDown = (event: KeyboardEvent) => {
      const command = document.querySelector('dialog[open]') ? undefined : commandOf(keys, event);
      const handler = command && latest.current[command];
      if (!handler) return;
      event.preventDefault();
      handler(event);
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [keys, isActive]);
}
