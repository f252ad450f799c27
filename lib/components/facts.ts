import { html } from './html.js';
import type { Fact } from './words.js';

/** Lists names and values. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  return html`<dl>${facts.map(([term, value]) => html`<div key=${term}><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;
}
