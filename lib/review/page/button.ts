import type { ComponentChildren } from 'preact';
import { html } from '../../components/html.js';
import { keyName } from './keys.js';

export interface ButtonProps {
  children?: ComponentChildren;
  onClick(): void;
  /** What the key's help says, which the tip of the button repeats. */
  command?: { keys: readonly string[]; does: string };
  /** The name of a button that only shows a sign. */
  label?: string;
  isDisabled?: boolean;
  /** Whether a button that switches something is on. */
  isPressed?: boolean;
  kind?: 'keep' | 'drop' | 'main';
}

/** A button that names its key. */
export function Button({ children, onClick, command, label, isDisabled = false, isPressed, kind }: ButtonProps) {
  const key = command?.keys[0];
  const tip = command && key ? `${command.does} (${keyName(key)})` : undefined;
  return html`<button type="button" class=${kind} aria-label=${label} aria-pressed=${isPressed}
    disabled=${isDisabled} title=${tip} onClick=${onClick}
    >${children}${key && !label && html` <kbd aria-hidden="true">${keyName(key)}</kbd>`}</button>`;
}
