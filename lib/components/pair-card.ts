import type { ComponentChildren } from 'preact';
import { html } from './html.js';
import { shareOf } from './measures.js';
import type { Decision, ShownPair } from './pair.js';
import { percent, SUSPICIONS } from './words.js';

export interface PairCardProps {
  pair: ShownPair;
  /** The decision that is shown, which may not be saved yet. */
  decision: Decision | null;
  isSaving?: boolean;
  /** The pictures. They are left out where the pair cannot be shown. */
  children?: ComponentChildren;
}

/** The pictures of a pair with its flags, its decision and its caption. The element around it has the class `card`. */
export function PairCard({ pair, decision, isSaving = false, children }: PairCardProps) {
  const { index, type, suspicions, width, hasMask, isCorrected, problem } = pair;
  const sign = { keep: '✓', drop: '✕', none: '' }[decision ?? 'none'];
  const words = [
    `${index} ${type}`,
    ...(isCorrected ? ['corrected'] : []),
    ...(hasMask && width > 0 && problem === undefined ? [percent(shareOf(pair))] : []),
  ];
  return html`
    ${problem === undefined ? children : html`<span class="failed">cannot be shown</span>`}
    ${
      suspicions.length > 0 &&
      html`<span class="badges">${suspicions.map((one) => html`<span class="badge" key=${one}>${SUSPICIONS[one]}</span>`)}</span>`
    }
    ${sign && html`<span class="sign ${isSaving ? 'unsaved' : ''}">${sign}</span>`}
    <span class="caption">${words.join(', ')}</span>`;
}
