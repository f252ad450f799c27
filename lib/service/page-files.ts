/** Gathers what the browser loads: the document, its style, its modules, and its libraries. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../core/paths.js';
import { STYLE } from '../report/style.js';

export interface PageFile {
  contentType: string;
  content: Buffer;
}

export interface PageFiles {
  /** The value of the header `content-security-policy`. */
  policy: string;
  /** The files by the paths of their addresses. */
  files: ReadonlyMap<string, PageFile>;
}

/** The packages that the page's modules import. */
const LIBRARIES = ['preact', 'preact/hooks', 'htm'];

const PAGE_STYLE = `${STYLE}
.jobs { width: 100%; } .jobs td, .jobs th { padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); }
.jobs button { all: unset; cursor: pointer; text-decoration: underline; } .jobs button:focus-visible { outline: 2px solid var(--accent); }
.jobs [aria-current=true] { font-weight: bold; } progress { width: 100%; } h2 small { font-weight: normal; opacity: .7; }
pre { white-space: pre-wrap; } .strip img { image-rendering: pixelated; min-height: 24px; }`;

const script = async (path: string): Promise<PageFile> => ({
  contentType: 'text/javascript; charset=utf-8',
  content: await readFile(path),
});

/** Reads the files of the page. All of them are small, and are kept in memory. */
export async function readPageFiles(): Promise<PageFiles> {
  const files = new Map<string, PageFile>();
  const folder = join(packageRoot, 'dist', 'service', 'page'); // The browser needs the compiled modules.
  for (const name of await readdir(folder)) files.set(`/page/${name}`, await script(join(folder, name)));
  const imports: Record<string, string> = {};
  for (const library of LIBRARIES) {
    const path = fileURLToPath(import.meta.resolve(library));
    imports[library] = `/library/${basename(path)}`;
    files.set(`/library/${basename(path)}`, await script(path));
  }
  const importMap = JSON.stringify({ imports });
  files.set('/page.css', { contentType: 'text/css; charset=utf-8', content: Buffer.from(PAGE_STYLE) });
  files.set('/', { contentType: 'text/html; charset=utf-8', content: Buffer.from(documentWith(importMap)) });
  return { policy: policyFor(importMap), files };
}

const documentWith = (importMap: string) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>dualanodiff</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/page.css">
<script type="importmap">${importMap}</script><script type="module" src="/page/main.js"></script></head>
<body><noscript>This page needs JavaScript.</noscript></body></html>
`;

/** The page runs its own files and talks to its own server. No other page may show it in a frame. */
function policyFor(importMap: string): string {
  const hash = createHash('sha256').update(importMap).digest('base64');
  return [
    "default-src 'self'",
    `script-src 'self' 'sha256-${hash}'`,
    "img-src 'self' blob: data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
