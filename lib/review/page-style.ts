import { THEME } from '../report/theme.js';

/** The style of the page. Each decision has a sign beside its colour. */
export const PAGE_STYLE = `${THEME}
:root { --keep: #1a7f37; --drop: #c2302b; --warn: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --keep: #4ac26b; --drop: #ff7b72; --warn: #e3b341; } }
body { margin: 0; height: 100dvh; display: flex; flex-direction: column; overflow-wrap: anywhere; }
header, footer { padding: 8px 16px; } header { display: flex; flex-wrap: wrap; gap: 0 20px; align-items: baseline; border-bottom: 1px solid var(--line); } footer { border-top: 1px solid var(--line); }
main { flex: 1; min-height: 0; position: relative; }
h1 { margin: 0; font-size: 18px; } h2 { margin: 0; font-size: 18px; } h2:focus { outline: none; } h3 { margin: 0 0 6px; font-size: 15px; }
p { margin: 4px 0; } small { font-weight: normal; opacity: .75; }
header > details, header > .failed { flex: 1 0 100%; } summary { cursor: pointer; }
button { font: inherit; padding: 4px 10px; border: 1px solid var(--line); border-radius: 5px; background: color-mix(in srgb, CanvasText 7%, Canvas); color: CanvasText; cursor: pointer; }
button:disabled { opacity: .5; cursor: default; }
button[aria-pressed=true] { border-color: var(--accent); box-shadow: inset 0 -3px var(--accent); }
button.keep { border-color: var(--keep); } button.drop { border-color: var(--drop); } button.main { border-color: var(--accent); font-weight: bold; }
kbd { font: 11px/1 ui-monospace, monospace; padding: 1px 4px; border: 1px solid var(--line); border-radius: 3px; opacity: .8; }
footer, .tools { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; }
.failed { color: var(--drop); font-weight: bold; }
.filters { display: flex; flex-wrap: wrap; gap: 6px 12px; align-items: end; padding: 6px 0; }
.filters label, legend { font-size: 12px; } .filters select, .filters input { display: block; font: inherit; max-width: 100%; }
fieldset { border: 0; margin: 0; padding: 0; display: flex; gap: 4px; } legend { padding: 0; } fieldset input { width: 76px; }
.frame { position: absolute; inset: 0; overflow-y: auto; padding: 0; } .frame > p { padding: 16px; }
.cells { position: relative; }
.cell { position: absolute; padding: 4px; cursor: pointer; }
.cell:focus { outline: none; } .cell[aria-selected=true] { outline: 3px solid var(--accent); outline-offset: -3px; border-radius: 5px; }
.cell:focus-visible { outline-width: 4px; outline-offset: -4px; }
.cell img { display: block; width: 100%; height: calc(100% - 24px); object-fit: contain; background: #8883; border-radius: 3px; }
.cell.drop img { opacity: .4; }
.caption { position: absolute; inset: auto 6px 4px; font-size: 12px; line-height: 20px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.sign { position: absolute; right: 8px; top: 8px; width: 24px; height: 24px; border-radius: 50%; line-height: 24px; text-align: center; color: #fff; font-weight: bold; }
.cell.keep .sign { background: #1a7f37; } .cell.drop .sign { background: #c2302b; } .sign.unsaved { outline: 2px dashed #fff; }
.badge { position: absolute; left: 8px; bottom: 32px; padding: 0 6px; border-radius: 3px; font-size: 12px; background: #ffe9b0; color: #5c3d00; }
.cell .failed { display: grid; place-items: center; height: calc(100% - 24px); font-size: 12px; background: #8882; }
.pair-view, .mender { position: absolute; inset: 0; overflow-y: auto; padding: 8px 16px; display: flex; flex-direction: column; gap: 8px; }
.decision { float: right; font-size: 15px; } .decision.keep { color: var(--keep); } .decision.keep::before { content: "✓ "; } .decision.drop { color: var(--drop); } .decision.drop::before { content: "✕ "; }
.panels { flex: 1 0 auto; min-height: 260px; display: grid; gap: 8px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 290px), 1fr)); }
figure { margin: 0; display: flex; flex-direction: column; min-height: 260px; } figcaption { font-size: 12px; opacity: .8; }
.stage { position: relative; flex: 1; min-height: 0; background: #8883; border-radius: 3px; overflow: hidden; }
.mender .stage { min-height: 260px; }
.stage canvas { position: absolute; inset: 0; width: 100%; height: 100%; cursor: grab; } .stage canvas.drawn-on { cursor: none; }
.stage .failed { padding: 16px; }
dl { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 0; } dl div { max-width: 100%; } dt { font-size: 12px; opacity: .75; } dd { margin: 0; }
.group { display: inline-flex; flex-wrap: wrap; gap: 6px; align-items: center; } .group output { min-width: 2ch; text-align: center; }
dialog { max-width: min(1040px, 94vw); border: 1px solid var(--line); border-radius: 8px; } dialog::backdrop { background: #0008; }
.key-tables { display: grid; gap: 8px 32px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); }
.key-tables table { border-collapse: collapse; } .key-tables th { text-align: left; font-weight: normal; padding-right: 12px; vertical-align: top; width: 34%; } dialog form { float: right; }
@media (max-width: 640px) {
header, footer, .pair-view, .mender { padding: 6px 8px; } h1 { font-size: 16px; }
button { padding: 6px 8px; } button kbd { display: none; }
}
`;
