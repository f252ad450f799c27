import { STYLE } from '../report/style.js';

export const PAGE_STYLE = `${STYLE}
.jobs { width: 100%; } .jobs td, .jobs th { padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); }
.jobs td, .jobs th { overflow-wrap: break-word; } .jobs .name { overflow-wrap: anywhere; min-width: 5em; } .list { max-height: 50vh; overflow: auto; }
.jobs button { all: unset; cursor: pointer; text-decoration: underline; } .jobs button:focus-visible { outline: 2px solid var(--accent); }
.jobs [aria-current=true] { font-weight: bold; } progress { width: 100%; } h2 small { font-weight: normal; opacity: .7; }
pre { white-space: pre-wrap; } .strip img { image-rendering: pixelated; min-height: 24px; }`;
