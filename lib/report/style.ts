import { COMPONENT_STYLE, THEME } from '../components/theme.js';

/** The style of all reports. */
export const STYLE = `${THEME}${COMPONENT_STYLE}
html { scroll-padding-top: 80px; }
body { max-width: 1180px; margin: 0 auto; padding: 24px; overflow-wrap: anywhere; }
h1 { margin: 0 0 4px; } h2 { margin: 32px 0 8px; } h3 { margin: 20px 0 6px; } h4 { margin: 0 0 4px; font-weight: normal; }
a { color: inherit; }
table { border-collapse: collapse; } th { text-align: left; font-weight: normal; opacity: .75; padding-right: 16px; vertical-align: top; }
figure { margin: 0; } figcaption { font-size: 12px; opacity: .8; }
img { display: block; width: 100%; height: auto; border-radius: 3px; background: #888; }
svg { display: block; width: 100%; max-width: 620px; font-size: 11px; fill: currentColor; } path { fill: none; }
.grid-of { display: grid; gap: 14px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 520px), 1fr)); }
.pictures, .example { display: grid; grid-template-columns: repeat(4, 1fr); gap: 4px; align-items: start; }
.example { grid-template-columns: repeat(3, 1fr); } .example figcaption { grid-column: 1 / -1; }
#pairs .card { display: flex; flex-direction: column; gap: 4px; padding: 0; font-size: 12px; } #pairs .caption, #pairs .badges { position: static; order: 1; } #pairs .caption { font-weight: bold; }
#pairs .badges { order: 2; } #pairs dl { order: 3; gap: 0 12px; } #pairs .card dt, #pairs .card dd { display: inline; } #pairs dt::after { content: ": "; }
.side { display: flex; flex-wrap: wrap; gap: 48px; } .side > section { min-width: 0; }
.wide { overflow-x: auto; }
.scores td, .scores th { padding: 3px 10px; border-bottom: 1px solid var(--line); }
.scores th { overflow-wrap: break-word; max-width: 240px; } .scores th[scope=row] { opacity: 1; }
.scores td { text-align: right; white-space: nowrap; vertical-align: top; } .scores small { opacity: .75; font-weight: normal; } .best { font-weight: bold; }
th button { all: unset; cursor: pointer; } th button:focus-visible { outline: 2px solid var(--accent); }
th button::after { content: " \\2195"; opacity: .5; }
th[aria-sort=ascending] button::after { content: " \\2191"; opacity: 1; } th[aria-sort=descending] button::after { content: " \\2193"; opacity: 1; }
#filters { position: sticky; top: 0; z-index: 1; padding: 8px 0; background: Canvas; border-bottom: 1px solid var(--line); }
#filters label { flex: 1 1 90px; max-width: 220px; min-width: 0; } #filters select { width: 100%; } #filters output { font-size: 12px; opacity: .8; }
.bar-line { display: grid; grid-template-columns: minmax(90px, 220px) 1fr 96px; gap: 10px; align-items: center; padding: 2px 0; }
.track { position: relative; height: 16px; background: color-mix(in srgb, currentColor 8%, transparent); }
.bar { position: absolute; inset: 0 auto 0 0; background: var(--accent); } .whisker { position: absolute; top: 7px; height: 2px; background: CanvasText; }
.curves { display: grid; gap: 20px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 420px), 1fr)); }
.raw { stroke: var(--accent); opacity: .4; } .mean { stroke: var(--curve); stroke-width: 2; }
.case { padding: 10px 0; border-top: 1px solid var(--line); } .maps { display: grid; gap: 8px; grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); align-items: start; }
.strip { display: grid; grid-template-columns: repeat(auto-fill, minmax(96px, 1fr)); gap: 4px; margin-bottom: 4px; align-items: start; }
@media (max-width: 640px) {
body { padding: 12px; } h1 { font-size: 22px; }
.scores thead th { display: inline-block; border: 0; padding: 2px 12px 2px 0; }
.scores, .scores thead, .scores tbody, .scores thead tr { display: block; }
.scores tbody tr { display: flex; flex-wrap: wrap; gap: 0 12px; padding: 8px 0; border-bottom: 1px solid var(--line); }
.scores tbody th { border: 0; padding: 0; max-width: none; min-width: 0; overflow-wrap: anywhere; font-weight: bold; }
.scores tbody th + th::before { content: "\\00b7\\00a0"; }
.scores tbody td { flex: 0 0 calc(50% - 6px); border: 0; padding: 0; text-align: left; white-space: normal; }
.scores tbody td::before { content: attr(data-name) " "; opacity: .75; font-weight: normal; }
.scores tbody tr::before { content: ""; flex: 0 0 100%; order: 1; } .scores tbody td { order: 2; }
.bar-line { grid-template-columns: 110px 1fr 84px; gap: 6px; font-size: 13px; }
}
@media print { .filters { display: none; } }`;
