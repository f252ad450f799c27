/** Gathers what a browser loads of a page: the document, its style, its modules, and its libraries. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../core/paths.js';

export interface PageFile {
  contentType: string;
  content: Buffer;
}

export interface PageFiles {
  /** The value of the header `content-security-policy`. */
  policy: string;
  /** The files by the paths of their addresses. The document is `/`. */
  files: ReadonlyMap<string, PageFile>;
}

export interface PageSettings {
  /** The folder of the compiled modules. `main.js` starts the page. */
  modules: string;
  title: string;
  /** The style sheet. */
  style: string;
  /** The modules and the style have addresses below this path, if one server has several pages. */
  below?: string;
  /** The sources of images, as the content security policy names them. */
  images: string;
}

/** The packages that the modules of pages import. */
const LIBRARIES = ['preact', 'preact/hooks', 'htm', 'htm/preact'];

/** The compiled modules that all pages share. */
const COMPONENTS = join(packageRoot, 'dist', 'components');

const script = async (path: string): Promise<PageFile> => ({
  contentType: 'text/javascript; charset=utf-8',
  content: await readFile(path),
});

/** Reads the files of a page. All of them are small, and are kept in memory. */
export async function readPageFiles({ modules, title, style, images, below = '' }: PageSettings): Promise<PageFiles> {
  const files = new Map<string, PageFile>();
  // The modules of pages import the components by a relative address, which ends at the root.
  for (const [folder, path] of Object.entries({ [`${below}/page`]: modules, '/components': COMPONENTS })) {
    for (const name of await readdir(path)) files.set(`${folder}/${name}`, await script(join(path, name)));
  }
  const imports: Record<string, string> = {};
  for (const library of LIBRARIES) {
    const path = fileURLToPath(import.meta.resolve(library));
    imports[library] = `/library/${basename(path)}`;
    files.set(`/library/${basename(path)}`, await script(path));
  }
  const importMap = JSON.stringify({ imports });
  files.set(`${below}/page.css`, { contentType: 'text/css; charset=utf-8', content: Buffer.from(style) });
  files.set('/', {
    contentType: 'text/html; charset=utf-8',
    content: Buffer.from(documentWith(title, importMap, below)),
  });
  return { policy: policyFor(importMap, images), files };
}

const documentWith = (title: string, importMap: string, below: string) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="${below}/page.css">
<script type="importmap">${importMap}</script><script type="module" src="${below}/page/main.js"></script></head>
<body><noscript>This page needs JavaScript.</noscript></body></html>
`;

/** A page runs its own files and talks to its own server. No other page may show it in a frame. */
function policyFor(importMap: string, images: string): string {
  const hash = createHash('sha256').update(importMap).digest('base64');
  return [
    "default-src 'self'",
    `script-src 'self' 'sha256-${hash}'`,
    `img-src ${images}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
