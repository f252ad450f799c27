import { useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import { FilterBar } from '../../components/filter-bar.js';
import { measuresOf, NO_FILTERS, shownPairs, typesOf } from '../../components/filters.js';
import { html } from '../../components/html.js';
import { shapeOf } from '../../components/measures.js';
import type { Decision } from '../../components/pair.js';
import { ShapeHistograms } from '../../components/shape-histograms.js';
import type { RealDefect, ReviewList, ReviewPair } from '../contract.js';
import { Button } from './button.js';
import { Grid } from './grid.js';
import { Help } from './help.js';
import { REVIEW_KEYS } from './keys.js';
import { PairView } from './pair-view.js';
import type { Display } from './panels.js';
import { Review } from './review.js';
import { useKeys } from './use-keys.js';
import { useWarning } from './use-warning.js';

/** Wide enough to show the filters beside the pairs from the start, in pixels. */
const WIDE = 700;

/** Opens the review, and draws again after each change. */
function useReview(list: ReviewList): Review {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const review = useMemo(() => new Review(list, () => redraw(undefined)), [list]);
  useEffect(() => review.connect(), [review]);
  useWarning(review.unsaved > 0);
  return review;
}

/** What is wrong with the connection, and what to do. */
function ConnectionNote({ review }: { review: Review }) {
  const { connection, unsaved } = review;
  if (connection === 'open') return null;
  const what = unsaved === 1 ? '1 change is not saved.' : unsaved > 1 ? `${unsaved} changes are not saved.` : '';
  return html`<p class="failed" role="alert">${
    connection === 'lost'
      ? `The server does not answer, or is too busy. ${what} This page tries again; if the command or the service has ended, start it and open the review again.`
      : `This page has expired. ${what} Open it again: from the page of the service, or at the address that the command printed last.`
  }</p>`;
}

/** The defects of the shown pairs beside the real ones. Shares of images of other sizes would mean other sizes. */
function Shapes({ defects, pairs }: { defects: readonly RealDefect[]; pairs: readonly ReviewPair[] }) {
  const [isOpen, setOpen] = useState(false);
  if (defects.length === 0) return null;
  const onToggle = ({ currentTarget }: { currentTarget: HTMLDetailsElement }) => setOpen(currentTarget.open);
  const sizes = new Set(pairs.map(({ width, height }) => `${width} x ${height}`));
  const real = defects.filter(({ width, height }) => sizes.has(`${width} x ${height}`));
  const shapes = { real: real.flatMap(shapeOf), generated: pairs.flatMap(shapeOf), showsPlaces: true };
  return html`<details onToggle=${onToggle}><summary>Sizes and positions</summary>
    ${isOpen && (real.length > 0 ? html`<${ShapeHistograms} ...${shapes} />` : html`<p>No real image has the size of a pair, so that shares of them cannot be compared.</p>`)}
  </details>`;
}

/** The whole page. */
export function App({ list }: { list: ReviewList }) {
  const review = useReview(list);
  const [filters, setFilters] = useState(NO_FILTERS);
  const [selected, setSelected] = useState(() =>
    Math.max(
      list.pairs.findIndex(({ decision }) => decision === null),
      0,
    ),
  );
  const [isOpen, setOpen] = useState(false);
  const [isMending, setMending] = useState(false);
  const [hasHelp, setHelp] = useState(false);
  const [display, setDisplay] = useState<Display>({ withOverlay: false, withOutline: true, withComparison: true });

  const { pairs, unsaved, measured } = review;
  const [types, measures] = useMemo(() => [typesOf(pairs), measuresOf(pairs)] as const, [measured]);
  const shown = useMemo(
    () => shownPairs(pairs, filters, (pair, id) => review.decisionOf(pair, id)),
    [pairs, filters, unsaved],
  );
  const found = shown.indexOf(selected);
  const lastFound = useRef(0);
  if (found >= 0) lastFound.current = found;
  // A pair that the filters hide after its decision makes way for the one that takes its place.
  const position = found >= 0 ? found : Math.min(lastFound.current, Math.max(shown.length - 1, 0));
  const current = isOpen && found < 0 ? selected : shown[position];
  const pair = current === undefined ? undefined : pairs[current];

  const select = (place: number) => {
    const id = shown[Math.min(Math.max(place, 0), shown.length - 1)];
    if (id !== undefined) setSelected(id);
  };
  // After a hidden pair that is still open comes the one that took its place.
  const next = () => select(found >= 0 ? position + 1 : position);
  const previous = () => select(position - 1);
  const decide = (decision: Decision) => {
    if (current === undefined || (decision === 'keep' && pair?.problem !== undefined)) return;
    review.decide(current, decision);
    next();
  };
  const undo = () => {
    const id = review.undoOwn();
    if (id !== undefined) setSelected(id);
  };
  const open = () => current !== undefined && setOpen(true);
  const toggle = (name: keyof Display) => () => setDisplay({ ...display, [name]: !display[name] });
  const canMend = pair?.hasMask === true && pair.problem === undefined;
  const mend = () => {
    if (!canMend) return;
    setOpen(true);
    setMending(true);
  };
  const commands = {
    keep: () => decide('keep'),
    drop: () => decide('drop'),
    undo,
    undoPair: () => current !== undefined && review.undoPair(current),
    next,
    previous,
    open,
    close: () => setOpen(false),
    mend,
    overlay: toggle('withOverlay'),
    outline: toggle('withOutline'),
    compare: toggle('withComparison'),
    help: () => setHelp(true),
  };
  useKeys(REVIEW_KEYS, commands, !isMending);

  const counts = review.counts();
  const { kept, dropped, undecided } = counts;
  const button = (name: keyof typeof commands, text: string, more = {}) =>
    html`<${Button} command=${REVIEW_KEYS[name]} onClick=${commands[name]} ...${more}>${text}<//>`;
  const canKeep = pair !== undefined && pair.problem === undefined;
  return html`
    <header>
      <h1>Review of ${list.title}</h1>
      <p role="status"><span>${kept} kept, ${dropped} dropped, ${undecided} undecided.</span> <span>${review.notice}</span></p>
      <${ConnectionNote} review=${review} />
      ${
        measured < pairs.length &&
        html`<p>${measured} of ${pairs.length} pairs are measured. Filters and sorting by size, place and extreme size do not know the others yet.</p>`
      }
      ${
        !isOpen &&
        html`<details open=${window.innerWidth >= WIDE}><summary>Filter and sort (${shown.length} of ${pairs.length} pairs)</summary>
          <${FilterBar} filters=${filters} onFilters=${setFilters} types=${types} measures=${measures} />
        </details>
        <${Shapes} defects=${list.defects} pairs=${shown.map((id) => pairs[id])} />`
      }
    </header>
    <main>
      ${
        isOpen && current !== undefined
          ? html`<${PairView} review=${review} id=${current} position=${position + 1} count=${shown.length}
            nextId=${shown[position + 1]} display=${display} isMending=${isMending}
            onMended=${() => setMending(false)} onHelp=${commands.help} />`
          : html`<${Grid} review=${review} shown=${shown} position=${position}
            kind=${display.withOutline || display.withOverlay ? 'outline' : 'image'} onSelect=${select} onOpen=${open} />`
      }
    </main>
    ${
      !isMending &&
      html`<footer role="group" aria-label="Actions">
        ${button('keep', 'Keep', { kind: 'keep', isDisabled: !canKeep })}
        ${button('drop', 'Drop', { kind: 'drop', isDisabled: pair === undefined })}
        ${button('undo', 'Undo', { isDisabled: !review.canUndo })}
        ${button('undoPair', 'Undo this pair', { isDisabled: typeof pair?.undoable !== 'number' })}
        ${button('previous', 'Previous')}
        ${button('next', 'Next')}
        ${isOpen ? button('close', 'All pairs') : button('open', 'Open', { isDisabled: pair === undefined })}
        ${button('mend', 'Mend mask', { isDisabled: !canMend })}
        ${button('overlay', 'Overlay', { isPressed: display.withOverlay })}
        ${button('outline', 'Outline', { isPressed: display.withOutline })}
        ${isOpen && button('compare', 'Compare', { isPressed: display.withComparison })}
        ${button('help', 'Keys')}
      </footer>`
    }
    ${hasHelp && html`<${Help} onClose=${() => setHelp(false)} />`}
  `;
}
