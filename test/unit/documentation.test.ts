import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => join('docs', name));
const pages = [
  ...['README.md', 'CHANGELOG.md', 'THIRD-PARTY-NOTICES.md'],
  ...['examples', 'bench', 'assets'].map((folder) => join(folder, 'README.md')),
  ...docs,
];

const read = (page: string) => readFileSync(join(root, page), 'utf8');

/** Markdown without the blocks and spans of code, in which brackets are no links. */
const withoutCode = (text: string) => text.replace(/^ *```[\s\S]*?^ *```/gm, '').replace(/`[^`\n]*`/g, 'code');

/** A heading as GitHub makes an anchor of it. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

function anchorsOf(page: string): Set<string> {
  const text = read(page);
  const anchors = new Set([...text.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id as string));
  const seen = new Map<string, number>();
  for (const [, heading] of text.replace(/^ *```[\s\S]*?^ *```/gm, '').matchAll(/^#+ (.+)$/gm)) {
    const anchor = anchorOf(heading as string);
    const before = seen.get(anchor) ?? 0;
    anchors.add(before === 0 ? anchor : `${anchor}-${before}`);
    seen.set(anchor, before + 1);
  }
  return anchors;
}

/** The relative links of a page that lead nowhere. */
function brokenLinks(page: string): string[] {
  const targets = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target as string);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [file = '', anchor] = target.split('#');
      const path = file === '' ? page : join(dirname(page), file);
      if (relative(root, join(root, path)).startsWith('..') || !existsSync(join(root, path))) return true;
      return anchor !== undefined && path.endsWith('.md') && !anchorsOf(path).has(anchor);
    });
}

describe('the documentation', () => {
  it.each(pages)('%s has no link to a file or heading that does not exist', (page) => {
    expect(brokenLinks(page)).toEqual([]);
  });

  it('README.md has at most 120 lines', () => {
    expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(120);
  });

  it('README.md links every page of docs/', () => {
    const linked = new Set([...read('README.md').matchAll(/\]\((docs\/[\w/-]+\.md)/g)].map(([, target]) => target));
    const ownPages = docs.filter((page) => dirname(page) === 'docs' && page !== join('docs', 'images.md'));
    expect(ownPages.filter((page) => !linked.has(page))).toEqual([]);
  });

  it('names no flag that no command has', () => {
    // Files of other programs hold the flags of those.
    const ownText = (page: string) => read(page).replace(/^```(ini|yaml|nginx|dockerfile)\n[\s\S]*?^```/gm, '');
    const flagsIn = (page: string) => [...ownText(page).matchAll(/(?<=[\s`])--(?:no-)?([a-z][a-z-]*)/g)];
    // Those of libtorch install and of bench/, which docs/options.md does not list.
    const others = ['cuda', 'from', 'cfg', 'peer', 'stored', 'capability', 'help', 'help-all'];
    const known = new Set([...others, ...flagsIn('docs/options.md').map(([, name]) => name)]);
    const written = ['README.md', ...docs.filter((page) => dirname(page) === 'docs')].flatMap((page) =>
      flagsIn(page).map(([flag, name]) => ({ page, flag, name })),
    );
    expect(written.length).toBeGreaterThan(100);
    expect(written.filter(({ name }) => !known.has(name))).toEqual([]);
  });
});
