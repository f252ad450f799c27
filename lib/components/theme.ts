/** The look that reports and pages share. Colours follow the system's light or dark theme. */
export const THEME = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; --line: #8886; --accent: #2f6fb5; --curve: #c2413a; --keep: #1a7f37; --drop: #c2302b; }
@media (prefers-color-scheme: dark) { :root { --accent: #7ab4f0; --curve: #f08a80; --keep: #4ac26b; --drop: #ff7b72; } }
[hidden] { display: none !important; }
* { box-sizing: border-box; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }`;

/** The look of the components in this folder. Each decision has a sign beside its colour. */
export const COMPONENT_STYLE = `
.filters { display: flex; flex-wrap: wrap; gap: 6px 12px; align-items: end; padding: 6px 0; }
.filters label, .filters legend { font-size: 12px; } .filters select, .filters input { display: block; font: inherit; max-width: 100%; }
.filters fieldset { border: 0; margin: 0; padding: 0; min-width: 0; display: flex; gap: 4px; } .filters legend { padding: 0; } .filters fieldset input { width: 76px; }
button { font: inherit; padding: 4px 10px; border: 1px solid var(--line); border-radius: 5px; background: color-mix(in srgb, CanvasText 7%, Canvas); color: CanvasText; cursor: pointer; }
button:disabled { opacity: .5; cursor: default; }
.card { position: relative; padding: 4px 4px 28px; } .card img { border-radius: 3px; background: #8883; } .card.drop img { opacity: .4; }
.card .failed { display: grid; place-items: center; min-height: 100%; font-size: 12px; background: #8882; } .failed { color: var(--drop); font-weight: bold; }
.card .caption { position: absolute; inset: auto 6px 4px; font-size: 12px; line-height: 20px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.sign { position: absolute; right: 8px; top: 8px; width: 24px; height: 24px; border-radius: 50%; line-height: 24px; text-align: center; color: #fff; font-weight: bold; }
.card.keep .sign { background: #1a7f37; } .card.drop .sign { background: #c2302b; } .sign.unsaved { outline: 2px dashed #fff; }
.badges { position: absolute; left: 8px; bottom: 32px; right: 8px; display: flex; flex-wrap: wrap; gap: 4px; } .badge { padding: 0 6px; border-radius: 3px; font-size: 12px; background: #ffe9b0; color: #5c3d00; }
dl { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 0; } dl div { max-width: 100%; } dt { font-size: 12px; opacity: .75; } dd { margin: 0; }
.charts { display: grid; gap: 20px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); }
.histogram { display: block; width: 100%; font-size: 11px; fill: currentColor; } .histogram .real { fill: var(--accent); } .histogram .generated { fill: var(--curve); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; font-size: 12px; } .legend i { display: inline-block; width: 12px; height: 12px; margin-right: 4px; vertical-align: -1px; }
.legend .real { background: var(--accent); } .legend .generated { background: var(--curve); }
.grid { stroke: currentColor; opacity: .2; }`;
