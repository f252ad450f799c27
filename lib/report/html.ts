/** Builds the parts that all reports share: escaped text, pictures, and the page with its style and its script. */
import { createHash } from 'node:crypto';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';
import type { Thumbnail } from './thumbnails.js';

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (c) => ENTITIES[c] as string);

/** What an element shows. The filters of a page compare it with what the reader chooses. */
export interface Shown {
  type?: string;
  row?: string;
  detector?: string;
}

/** Returns the attributes that the filters of a page read. */
export const shownAttributes = ({ type, row, detector }: Shown): string =>
  Object.entries({ type, row, detector })
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([name, value]) => ` data-${name}="${escapeHtml(value)}"`)
    .join('');

/**
 * Shows a thumbnail, which links to the file that it shows. `shape` gives it the proportions of another picture, because
 * a map may be square where its image is not.
 */
export function picture({ src, width, height, href }: Thumbnail, label: string, shape?: Thumbnail): string {
  const text = escapeHtml(label);
  const style = shape ? ` style="aspect-ratio:${shape.width}/${shape.height}"` : '';
  const image = `<img alt="${text}" title="${text}" src="${src}" width="${width}" height="${height}"${style} loading="lazy">`;
  return href === undefined ? image : `<a href="${escapeHtml(href)}">${image}</a>`;
}

const sourceOf = (script: string) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`;

/** The browser runs no other scripts than these, whatever the names in a report hold. */
const policyFor = (scripts: readonly string[]) =>
  `script-src ${scripts.map(sourceOf).join(' ')}; object-src 'none'; base-uri 'none'`;

/**
 * Returns a complete document. It refers only to the thumbnails beside it and, in links, to the images. `more` is a script
 * that it runs beside that of all reports.
 */
export const page = (title: string, body: string, ...more: string[]): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policyFor([SCRIPT, ...more])}">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>
<h1>${escapeHtml(title)}</h1>
${body}
${[SCRIPT, ...more].map((script) => `<script>${script}</script>`).join('\n')}</body></html>
`;
