/** The look that reports and the page of `review` share. Colours follow the system's light or dark theme. */
export const THEME = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; --line: #8886; --accent: #2f6fb5; --curve: #c2413a; }
@media (prefers-color-scheme: dark) { :root { --accent: #7ab4f0; --curve: #f08a80; } }
[hidden] { display: none !important; }
* { box-sizing: border-box; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }`;
