/** Makes the pairs of a report filterable. They stand in the page already, so that it is complete without this script. */
import { hydrate } from 'preact';
import { html } from '../../components/html.js';
import { PAIR_DATA, PAIR_ROOT } from './names.js';
import { type ListedPair, PairList } from './pair-list.js';

const root = document.getElementById(PAIR_ROOT);
const data = document.getElementById(PAIR_DATA);
if (root && data) {
  const pairs = JSON.parse(data.textContent ?? '[]') as ListedPair[];
  hydrate(html`<${PairList} pairs=${pairs} />`, root);
}
