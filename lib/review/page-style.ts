import { COMPONENT_STYLE, THEME } from '../components/theme.js';

/** The style of the page. */
export const PAGE_STYLE = `${THEME}${COMPONENT_STYLE}
body { margin: 0; height: 100dvh; display: flex; flex-direction: column; overflow-wrap: anywhere; }
header, footer { padding: 8px 16px; } header { display: flex; flex-wrap: wrap; gap: 0 20px; align-items: baseline; border-bottom: 1px solid var(--line); } footer { border-top: 1px solid var(--line); }
main { flex: 1; min-height: 0; position: relative; }
h1 { margin: 0; font-size: 18px; } h2 { margin: 0; font-size: 18px; } h2:focus { outline: none; } h3 { margin: 0 0 6px; font-size: 15px; }
p { margin: 4px 0; } small { font-weight: normal; opacity: .75; }
header > details, header > .failed { flex: 1 0 100%; } header figure { min-height: 0; } header .charts { max-height: 40dvh; overflow-y: auto; } summary { cursor: pointer; }
button[aria-pressed=true] { border-color: var(--accent); box-shadow: inset 0 -3px var(--accent); }
button.keep { border-color: var(--keep); } button.drop { border-color: var(--drop); } button.main { border-color: var(--accent); font-weight: bold; }
kbd { font: 11px/1 ui-monospace, monospace; padding: 1px 4px; border: 1px solid var(--line); border-radius: 3px; opacity: .8; }
footer, .tools { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; }
.frame { position: absolute; inset: 0; overflow-y: auto; padding: 0; } .frame > p { padding: 16px; }
.cells { position: relative; }
.cell { position: absolute; cursor: pointer; }
.cell:focus { outline: none; } .cell[aria-selected=true] { outline: 3px solid var(--accent); outline-offset: -3px; border-radius: 5px; }
.cell:focus-visible { outline-width: 4px; outline-offset: -4px; }
.cell img { display: block; width: 100%; height: 100%; object-fit: contain; }
.pair-view, .mender { position: absolute; inset: 0; overflow-y: auto; padding: 8px 16px; display: flex; flex-direction: column; gap: 8px; }
.decision { float: right; font-size: 15px; } .decision.keep { color: var(--keep); } .decision.keep::before { content: "✓ "; } .decision.drop { color: var(--drop); } .decision.drop::before { content: "✕ "; }
.panels { flex: 1 0 auto; min-height: 260px; display: grid; gap: 8px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 290px), 1fr)); }
figure { margin: 0; display: flex; flex-direction: column; min-height: 260px; } figcaption { font-size: 12px; opacity: .8; }
.stage { position: relative; flex: 1; min-height: 0; background: #8883; border-radius: 3px; overflow: hidden; }
.mender .stage { min-height: 260px; }
.stage canvas { position: absolute; inset: 0; width: 100%; height: 100%; cursor: grab; } .stage canvas.drawn-on { cursor: none; }
.stage .failed { padding: 16px; }
.group { display: inline-flex; flex-wrap: wrap; gap: 6px; align-items: center; } .group output { min-width: 2ch; text-align: center; }
dialog { max-width: min(1040px, 94vw); border: 1px solid var(--line); border-radius: 8px; } dialog::backdrop { background: #0008; }
.key-tables { display: grid; gap: 8px 32px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); }
.key-tables table { border-collapse: collapse; } .key-tables th { text-align: left; font-weight: normal; padding-right: 12px; vertical-align: top; width: 34%; } dialog form { float: right; }
@media (max-width: 640px) {
header, footer, .pair-view, .mender { padding: 6px 8px; } h1 { font-size: 16px; }
button { padding: 6px 8px; } button kbd { display: none; }
}
`;
