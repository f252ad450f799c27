import { useEffect, useMemo, useState } from 'preact/hooks';
import { Facts } from '../../components/facts.js';
import { FilterBar } from '../../components/filter-bar.js';
import { type Filters, measuresOf, NO_FILTERS, shownPairs, typesOf } from '../../components/filters.js';
import { html } from '../../components/html.js';
import type { ShownPair } from '../../components/pair.js';
import { PairCard } from '../../components/pair-card.js';
import { figuresOf } from '../../components/words.js';

/** A picture of a pair. */
export interface Picture {
  /** What it shows, such as `part`. */
  kind: string;
  /** The address of the thumbnail, relative to the page. */
  src: string;
  width: number;
  height: number;
  /** The address of the file that the thumbnail shows. */
  href?: string;
}

/** A pair with its pictures. */
export interface ListedPair extends ShownPair {
  pictures: readonly Picture[];
}

/** The pairs that need a look come first. */
const FIRST: Filters = { ...NO_FILTERS, sort: 'suspicion' };

function Card({ pair }: { pair: ListedPair }) {
  const { index, decision, pictures } = pair;
  return html`<article class="card ${decision ?? 'none'}" aria-label="Pair ${index}">
    <${PairCard} pair=${pair} decision=${decision}>
      <div class="pictures">${pictures.map(
        ({ kind, src, width, height, href }) =>
          html`<a key=${kind} href=${href}><img src=${src} alt="pair ${index}: ${kind}" title="pair ${index}: ${kind}"
            width=${width} height=${height} loading="lazy" /></a>`,
      )}</div>
      <${Facts} facts=${figuresOf(pair)} />
    <//>
  </article>`;
}

/** The pairs of a report. They can be filtered and sorted once the page's script runs. */
export function PairList({ pairs }: { pairs: readonly ListedPair[] }) {
  const [filters, setFilters] = useState(FIRST);
  const [hasScript, setScript] = useState(false);
  useEffect(() => setScript(true), []);
  const shown = useMemo(() => shownPairs(pairs, filters, ({ decision }) => decision), [pairs, filters]);
  const [types, measures] = useMemo(() => [typesOf(pairs), measuresOf(pairs)] as const, [pairs]);
  return html`
    ${
      hasScript &&
      html`<details><summary>Filter and sort (${shown.length} of ${pairs.length} pairs)</summary>
        <${FilterBar} filters=${filters} onFilters=${setFilters} types=${types} measures=${measures} all=${FIRST} />
      </details>`
    }
    ${hasScript && shown.length === 0 && html`<p>No pair matches the filters.</p>`}
    <div class="grid-of" id="pairs">${shown.map((id) => html`<${Card} key=${id} pair=${pairs[id]} />`)}</div>`;
}
