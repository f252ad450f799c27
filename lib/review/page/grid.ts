import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { html } from '../../components/html.js';
import { PairCard } from '../../components/pair-card.js';
import type { ReviewPair } from '../contract.js';
import { REVIEW_KEYS } from './keys.js';
import type { Review } from './review.js';
import { useKeys } from './use-keys.js';
import { gridLayout, visibleCells } from './virtual-grid.js';
import { labelOf } from './words.js';

export interface GridProps {
  review: Review;
  /** The ids of the pairs that are shown, in order. */
  shown: readonly number[];
  /** The place of the selected pair in `shown`. */
  position: number;
  /** Which small picture of each pair is shown. */
  kind: 'image' | 'outline';
  onSelect(position: number): void;
  onOpen(): void;
}

/** The smallest width of a cell, and what a cell has below its square picture, in pixels. */
const [CELL_WIDTH, CAPTION] = [150, 30];

interface CellProps {
  review: Review;
  id: number;
  kind: 'image' | 'outline';
}

/** The picture of a cell. A picture that scrolls away before it is there is not loaded any further. */
function Thumbnail({ review, id, kind }: CellProps) {
  const image = useRef<HTMLImageElement>(null);
  const { version, hasMask } = review.pairs[id] as ReviewPair;
  useEffect(() => {
    const element = image.current;
    return () => element?.removeAttribute('src');
  }, []);
  const shown = hasMask ? kind : 'image';
  const address = `api/pairs/${id}/thumbnail/${shown}?v=${encodeURIComponent(version)}`;
  // The label of the cell says what the picture shows.
  return html`<img ref=${image} alt="" decoding="async" draggable=${false} src=${address} />`;
}

function CellContent({ review, id, kind }: CellProps) {
  const pair = review.pairs[id] as ReviewPair;
  return html`<${PairCard} pair=${pair} decision=${review.decisionOf(pair, id)} isSaving=${review.isSaving(id)}>
    <${Thumbnail} review=${review} id=${id} kind=${kind} />
  <//>`;
}

/** A grid of any length, in which only the cells near the visible ones and the selected one have elements. */
export function Grid({ review, shown, position, kind, onSelect, onOpen }: GridProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ width: 0, height: 0, scrollTop: 0 });
  const layout = gridLayout(shown.length, view.width, CELL_WIDTH, CAPTION);
  const { columns, rowHeight } = layout;

  useLayoutEffect(() => {
    const element = frame.current as HTMLDivElement;
    const measure = () =>
      setView({ width: element.clientWidth, height: element.clientHeight, scrollTop: element.scrollTop });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', measure, { passive: true });
    measure();
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, []);
  // The selected cell is scrolled into the view, and has the focus unless the reviewer works elsewhere on the page.
  useLayoutEffect(() => {
    const element = frame.current as HTMLDivElement;
    if (view.width === 0) return;
    const top = Math.floor(position / columns) * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight > element.scrollTop + element.clientHeight)
      element.scrollTop = top + rowHeight - element.clientHeight;
    const active = document.activeElement;
    if (active === document.body || active === null || element.contains(active))
      element.querySelector<HTMLElement>('[aria-selected=true]')?.focus({ preventScroll: true });
  }, [position, shown[position], columns, rowHeight, view.width > 0]);

  const goTo = ({ key }: KeyboardEvent) => {
    const page = Math.max(Math.floor(view.height / rowHeight), 1) * columns;
    const steps: Record<string, number> = { ArrowUp: -columns, ArrowDown: columns, PageUp: -page, PageDown: page };
    const last = shown.length - 1;
    const ends: Record<string, number> = { Home: 0, End: last };
    onSelect(ends[key] ?? Math.min(Math.max(position + (steps[key] ?? 0), 0), last));
  };
  useKeys(REVIEW_KEYS, { rows: goTo, pages: goTo });
  const [first, end] = view.width === 0 ? [0, 0] : visibleCells(layout, shown.length, view.scrollTop, view.height);
  const places = Array.from({ length: end - first }, (_, i) => first + i);
  if (shown.length > 0 && (position < first || position >= end)) places.push(position);
  const width = view.width / columns;
  return html`<div class="frame" ref=${frame}>
    ${shown.length === 0 && html`<p>No pair matches the filters.</p>`}
    <div class="cells" role="listbox" aria-label="Pairs" style=${{ height: `${layout.height}px` }}>
      ${places.map((place) => {
        const id = shown[place] as number;
        const pair = review.pairs[id] as ReviewPair;
        const decision = review.decisionOf(pair, id);
        const style = {
          left: `${(place % columns) * width}px`,
          top: `${Math.floor(place / columns) * rowHeight}px`,
          width: `${width}px`,
          height: `${rowHeight}px`,
        };
        return html`<div key=${id} role="option" class="cell card ${decision ?? 'none'}" style=${style}
          tabindex=${place === position ? 0 : -1} aria-selected=${place === position}
          aria-setsize=${shown.length} aria-posinset=${place + 1} aria-label=${labelOf(pair, review.list, decision)}
          onClick=${() => onSelect(place)} onDblClick=${onOpen}>
          <${CellContent} review=${review} id=${id} kind=${kind} />
        </div>`;
      })}
    </div>
  </div>`;
}
