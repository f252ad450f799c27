import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { entriesOf, valuesOf } from '../../scripts/entries.mjs';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'docs', 'api');
const pages = new Map(
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => [join(folder, name), readFileSync(join(folder, name), 'utf8').replaceAll('\\_', '_')]),
);

/** The anchors that GitHub gives a page: of its headings, numbered where they are the same, and its own. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set([...page.matchAll(/<a id="([^"]+)"/g)].map(([, id]) => id as string));
  const times = new Map<string, number>();
  for (const [, heading = ''] of page.replaceAll(/^```.*?^```$/gms, '').matchAll(/^#+ (.*)$/gm)) {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const count = times.get(slug) ?? 0;
    times.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

describe('the pages of the API in docs/api (npm run docs)', () => {
  it.each(entriesOf(root))('describe everything that the entry point $subpath exports', async ({ module }) => {
    const values = await valuesOf(root, module);
    expect(values).not.toEqual([]);
    const missing = values.filter((name) => {
      const hasPage = [...pages.keys()].some((file) => file.endsWith(join('classes', `${name}.md`)));
      const heading = new RegExp(`^### ${name}(\\(\\))?$`, 'm');
      return !hasPage && ![...pages.values()].some((page) => heading.test(page));
    });
    expect(missing).toEqual([]);
  });

  it('link to one another, and to nothing that is not there', () => {
    const broken: string[] = [];
    let links = 0;
    for (const [file, page] of pages) {
      for (const [, target = ''] of page.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        links++;
        const [path = '', anchor] = target.split('#');
        const linked = path === '' ? file : resolve(dirname(file), path);
        const text = pages.get(linked);
        const isThere = text === undefined ? existsSync(linked) && !anchor : !anchor || anchorsOf(text).has(anchor);
        if (!isThere) broken.push(`${file}: ${target}`);
      }
    }
    expect(broken).toEqual([]);
    expect(links).toBeGreaterThan(pages.size);
  });

  it('are small', () => {
    const [longest] = [...pages]
      .map(([file, page]) => [page.split('\n').length, file] as const)
      .sort((a, b) => b[0] - a[0]);
    expect(longest?.[0], longest?.[1]).toBeLessThan(1000);
  });
});
