/** Builds the parts that all reports share: escaped text, embedded images, and the page with its style. */
import type { PixelData } from '../core/image.js';
import { encodePng } from '../dataset/image-file.js';

export const escapeHtml = (text: string) =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] as string);

export async function picture(image: PixelData, label: string): Promise<string> {
  const bytes = await encodePng(image);
  return `<img alt="${escapeHtml(label)}" title="${escapeHtml(label)}" src="data:image/png;base64,${bytes.toString('base64')}">`;
}

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 1180px; margin: 0 auto; padding: 24px; }
h1 { margin: 0 0 4px; } h2 { margin: 32px 0 8px; }
table { border-collapse: collapse; } th { text-align: left; font-weight: normal; opacity: .7; padding-right: 16px; } td { overflow-wrap: anywhere; }
figure { margin: 0; } figcaption { font-size: 12px; opacity: .7; }
.grid-of { display: grid; gap: 14px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 520px), 1fr)); }
.pair, .example { display: grid; grid-template-columns: repeat(4, 1fr); gap: 4px; }
.example { grid-template-columns: repeat(3, 1fr); } figcaption { grid-column: 1 / -1; }
img { width: 100%; image-rendering: pixelated; border-radius: 3px; background: #888; }
.empty { outline: 2px solid #d33; outline-offset: 3px; }
.side { display: flex; flex-wrap: wrap; gap: 48px; } .side > section { min-width: 0; }
svg { width: 100%; max-width: 900px; font-size: 11px; fill: currentColor; }
.grid { stroke: currentColor; opacity: .15; } path { fill: none; }
.scores td, .scores th { padding: 2px 10px; text-align: right; white-space: nowrap; } .scores .best { font-weight: bold; }
.cases { display: flex; flex-wrap: wrap; gap: 14px; } .cases figure { width: 260px; display: grid; grid-template-columns: 1fr 1fr; gap: 4px; }
.strip { display: grid; grid-template-columns: repeat(auto-fill, minmax(96px, 1fr)); gap: 4px; }
.bar { fill: #4a90d9; } .whisker { stroke: currentColor; }
.raw { stroke: #4a90d9; opacity: .35; } .mean { stroke: #d9534a; stroke-width: 2; }`;

/** Returns a complete document that refers to no other file. */
export const page = (title: string, body: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>
<h1>${escapeHtml(title)}</h1>
${body}
</body></html>
`;
