/** Draws the loss of a training. */
import type { VNode } from 'preact';
import { html } from '../../components/html.js';
import type { JobStory } from './job-story.js';

const [WIDTH, HEIGHT] = [600, 120];

export function LossCurve({ losses }: Pick<JobStory, 'losses'>): VNode | null {
  const last = losses.at(-1);
  if (!last || losses.length < 2) return null;
  const top = losses.reduce((most, { loss }) => Math.max(most, loss), 0) || 1;
  const first = losses[0]?.step ?? 0;
  const span = Math.max(1, last.step - first);
  const points = losses.map(({ step, loss }) => `${((step - first) / span) * WIDTH},${HEIGHT - (loss / top) * HEIGHT}`);
  const label = `loss ${last.loss.toFixed(4)} after ${last.step} steps`;
  return html`<figure>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${label}>
      <path class="mean" d="M${points.join(' L')}" />
    </svg>
    <figcaption>${label}</figcaption>
  </figure>`;
}
