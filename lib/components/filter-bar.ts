import { type Filters, NO_FILTERS, type Range, SORT_NAMES, type SortName } from './filters.js';
import { html } from './html.js';
import { MEASURES, type MeasureName, PLACES } from './measures.js';
import { DECISIONS, SUSPICIONS } from './words.js';

export interface FilterBarProps {
  filters: Filters;
  onFilters(filters: Filters): void;
  types: readonly string[];
  /** The measures that some pair has. */
  measures: readonly MeasureName[];
  /** The filters that show all pairs in the order of the page. */
  all?: Filters;
}

type Choices = Record<string, string>;

/** The event of an input. The server that renders a report has no types of browsers. */
interface On {
  currentTarget: { value: string };
}

interface SelectProps {
  label: string;
  value: string;
  choices: Choices;
  onValue(value: string): void;
}

function Select({ label, value, choices, onValue }: SelectProps) {
  return html`<label>${label}
    <select value=${value} onChange=${({ currentTarget }: On) => onValue(currentTarget.value)}>
      ${Object.entries(choices).map(([name, text]) => html`<option key=${name} value=${name}>${text}</option>`)}
    </select>
  </label>`;
}

interface RangeInputsProps {
  name: MeasureName;
  range: Range;
  onRange(range: Range): void;
}

/** Two bounds of a measure. An empty field is no bound. */
function RangeInputs({ name, range, onRange }: RangeInputsProps) {
  const measure = MEASURES[name];
  const input = (bound: 'from' | 'to', text: string) => {
    const onInput = ({ currentTarget: { value } }: On) => {
      const { [bound]: _, ...other } = range;
      onRange(value === '' || Number.isNaN(Number(value)) ? other : { ...other, [bound]: Number(value) });
    };
    return html`<input type="number" step="any" min="0" value=${range[bound] ?? ''} placeholder=${text}
      aria-label="${measure.name}, ${text}" onInput=${onInput} />`;
  };
  return html`<fieldset>
    <legend>${measure.name}${measure.unit && ` in ${measure.unit}`}</legend>
    ${input('from', 'from')} ${input('to', 'to')}
  </fieldset>`;
}

const all = (names: Choices): Choices => ({ '': 'all', ...names });
const named = (names: readonly string[]): Choices => Object.fromEntries(names.map((name) => [name, name]));

const SUSPICION_CHOICES: Choices = all({
  any: 'any suspicion',
  ...SUSPICIONS,
  corrected: 'corrected mask',
  problem: 'cannot be shown',
});

/** Chooses which pairs are shown, and their order. */
export function FilterBar({ filters, onFilters, types, measures, all: initial = NO_FILTERS }: FilterBarProps) {
  const set = (change: Partial<Filters>) => onFilters({ ...filters, ...change });
  const setRange = (name: MeasureName, range: Range) => set({ ranges: { ...filters.ranges, [name]: range } });
  const sorts = Object.entries(SORT_NAMES).filter(
    ([name]) => !(name in MEASURES) || measures.includes(name as MeasureName),
  );
  const isFiltered = JSON.stringify(filters) !== JSON.stringify(initial);
  return html`<form class="filters" aria-label="Filter and sort" onSubmit=${(event: { preventDefault(): void }) => event.preventDefault()}>
    ${
      types.length > 1 &&
      html`<${Select} label="Type" value=${filters.type} choices=${all(named(types))}
        onValue=${(type: string) => set({ type })} />`
    }
    <${Select} label="Decision" value=${filters.decision} choices=${all(DECISIONS)}
      onValue=${(decision: Filters['decision']) => set({ decision })} />
    <${Select} label="Suspicion" value=${filters.suspicion} choices=${SUSPICION_CHOICES}
      onValue=${(suspicion: Filters['suspicion']) => set({ suspicion })} />
    <${Select} label="Place" value=${filters.place} choices=${all(named(PLACES))}
      onValue=${(place: string) => set({ place })} />
    <${Select} label="Sort by" value=${filters.sort} choices=${Object.fromEntries(sorts)}
      onValue=${(sort: SortName) => set({ sort })} />
    <${Select} label="Order" value=${filters.isDescending ? 'down' : 'up'}
      choices=${{ up: 'smallest first', down: 'largest first' }}
      onValue=${(order: string) => set({ isDescending: order === 'down' })} />
    ${measures.map(
      (name) =>
        html`<${RangeInputs} key=${name} name=${name} range=${filters.ranges[name] ?? {}}
          onRange=${(range: Range) => setRange(name, range)} />`,
    )}
    <button type="button" disabled=${!isFiltered} onClick=${() => onFilters(initial)}>Show all</button>
  </form>`;
}
