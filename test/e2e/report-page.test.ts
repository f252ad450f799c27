import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserPath } from '../helpers/browser.js';
import { HOSTILE, LINES, writeReportOf } from '../helpers/reports.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
let browser: Browser;
let report: string;
let withShots: string;

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: browserPath(), args: ['--no-sandbox', '--disable-gpu'] });
  report = await writeReportOf(join(folder, 'plain'), { images: 14 });
  withShots = await writeReportOf(join(folder, 'shots'), { images: 2, shots: [1, 2, 4] });
});
afterAll(() => browser.close());

/** Opens a page without a network, fails on every problem, and returns what `look` returns. */
async function withPage<T>(path: string, options: object, look: (page: Page) => Promise<T>): Promise<T> {
  const context = await browser.newContext({ offline: true, ...options });
  try {
    const page = await context.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => problems.push(message.text()));
    page.on('requestfailed', (request) => problems.push(request.url()));
    await page.goto(pathToFileURL(path).href);
    const result = await look(page);
    expect(problems).toEqual([]);
    return result;
  } finally {
    await context.close();
  }
}

/** Returns the texts of a column of the score table's visible lines. */
const column = (page: Page, name: string) =>
  page.$$eval(
    '#scores',
    ([table], wanted) => {
      const [head, ...rows] = [...(table as HTMLTableElement).rows];
      const place = [...(head?.cells ?? [])].findIndex(({ textContent }) => textContent === wanted);
      return rows.filter(({ hidden }) => !hidden).map(({ cells }) => cells[place]?.textContent ?? 'no such cell');
    },
    name,
  );

describe('the report of an evaluation', () => {
  it('shows names as they are, and never runs them', () =>
    withPage(report, {}, async (page) => {
      expect(await page.title()).toBe(`${HOSTILE.type}: evaluation`);
      expect(await page.evaluate(() => (globalThis as { hacked?: number }).hacked)).toBeUndefined();
      expect(await page.$$eval('script, iframe, body b', (found) => found.length)).toBe(1);
      expect(await page.$$eval('[onerror], img[src=x]', (found) => found.length)).toBe(0);
      expect(new Set(await column(page, 'trained on'))).toEqual(new Set(LINES.map(({ row }) => row)));
      expect(new Set(await column(page, 'type'))).toEqual(new Set(['average', 'together', 'crack', HOSTILE.type]));
    }));

  it('allows no other script than its own', async () => {
    const hacked = join(dirname(report), 'hacked.html');
    const html = readFileSync(report, 'utf8');
    writeFileSync(hacked, html.replace('<h1>', '<script>window.hacked = 1</script><h1 onclick="window.hacked = 2">'));
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(pathToFileURL(hacked).href);
    await page.click('h1');
    expect(await page.evaluate(() => (globalThis as { hacked?: number }).hacked)).toBeUndefined();
    expect(await page.isVisible('#filters')).toBe(true); // Its own script runs.
    await context.close();
    rmSync(hacked);
  });

  it('sorts by a click and by a key, and leaves lines without a value last', () =>
    withPage(report, {}, async (page) => {
      const ap = async () => (await column(page, 'pixel AP')).map(Number);
      await page.click('#scores thead button:text-is("pixel AP")');
      const sorted = await ap();
      expect(sorted).toEqual([...sorted].sort((a, b) => b - a));
      expect(new Set(sorted).size).toBeGreaterThan(3);
      expect(await page.getAttribute('#scores th:has(button:text-is("pixel AP"))', 'aria-sort')).toBe('descending');
      await page.focus('#scores thead button:text-is("pixel AP")');
      await page.keyboard.press('Enter');
      expect(await ap()).toEqual([...sorted].reverse());
      await page.focus('#scores thead button:text-is("detector")');
      await page.keyboard.press('Space');
      const detectors = await column(page, 'detector');
      expect(detectors).toEqual([...detectors].sort());
      expect(await page.$$eval('#scores th[aria-sort]', (heads) => heads.length)).toBe(1);
      await page.$eval('#scores tbody tr td', (cell) => {
        (cell as HTMLElement).dataset.value = '';
        cell.textContent = 'none';
      });
      for (const _ of ['descending', 'ascending']) {
        await page.click('#scores thead button >> nth=3');
        expect((await column(page, 'pixel AUROC')).at(-1)).toBe('none');
      }
    }));

  it('filters tables, charts and maps', () =>
    withPage(report, {}, async (page) => {
      const visible = (selector: string) => page.locator(`${selector}:visible`).count();
      expect(await visible('#scores tbody tr')).toBe(12);
      await page.selectOption('#filters [name=detector]', 'patchcore');
      expect(await page.textContent('#filters output')).toBe('4 of 12 lines');
      expect(await visible('#average .bar-line')).toBe(1);
      expect(await visible('#cost tbody tr')).toBe(1);
      expect(await visible('.case')).toBe(25); // 12 of each type, and a good one
      expect(await visible('.case figure')).toBe(2 * 25); // the image and one map
      await page.selectOption('#filters [name=detector]', '');
      await page.selectOption('#filters [name=type]', HOSTILE.type);
      expect(new Set(await column(page, 'type'))).toEqual(new Set([HOSTILE.type]));
      expect(await visible('.case')).toBe(13);
      await page.selectOption('#filters [name=type]', 'average');
      expect(await visible('#scores tbody tr')).toBe(3);
      expect(await visible('.case')).toBe(25); // No case is an average.
      await page.selectOption('#filters [name=row]', HOSTILE.row);
      expect(await column(page, 'trained on')).toEqual([HOSTILE.row]);
    }));

  it('shows the maps of all detectors side by side, the worst image first', () =>
    withPage(report, {}, async (page) => {
      const section = page.locator('section[data-type=crack]').filter({ hasText: 'worst first' });
      const titles = await section.locator('h4').allTextContents();
      expect(titles).toHaveLength(12);
      expect([titles[0], titles.at(-1)]).toEqual(['crack 0013 #?%.png', 'crack 000 #?%.png']);
      const captions = await section.locator('.case').first().locator('figcaption').allTextContents();
      expect(captions).toHaveLength(1 + LINES.length);
      expect(captions[2]).toBe(`${HOSTILE.row}, unet: pixel AP 4.3`);
      expect(await section.locator('.case').first().locator('.best').textContent()).toBe('pixel AP 4.3');
    }));

  it('has thumbnails that load, and links to files that exist', () =>
    withPage(report, {}, async (page) => {
      await page.$$eval('img', (images) => {
        for (const image of images) image.loading = 'eager';
      });
      await page.waitForFunction(() => [...document.images].every(({ complete }) => complete));
      const sizes = await page.$$eval('img', (images) => images.map(({ naturalWidth }) => naturalWidth));
      expect(sizes.length).toBeGreaterThan(100);
      expect(Math.min(...sizes)).toBeGreaterThan(0);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(160);
      const links = await page.$$eval('a[href]', (found) =>
        found.map((link) => [link.getAttribute('href') as string, (link as HTMLAnchorElement).href]),
      );
      expect(links).toHaveLength(sizes.length);
      for (const [relative, url] of links as [string, string][]) {
        expect(relative).not.toMatch(/^(\/|[a-z]+:)/i);
        expect(existsSync(fileURLToPath(url)), url).toBe(true);
      }
    }));

  it.each(['light', 'dark'] as const)('is readable in the %s theme and at 400 pixels', (colorScheme) =>
    withPage(report, { colorScheme, viewport: { width: 400, height: 800 } }, async (page) => {
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(400);
      const widths = await page.$$eval('#scores td, #cost td, #filters select', (cells) =>
        cells.map((cell) => cell.getBoundingClientRect()).map(({ left, right }) => [left, right]),
      );
      for (const [left, right] of widths as [number, number][]) {
        expect(left).toBeGreaterThanOrEqual(0);
        expect(right).toBeLessThanOrEqual(400);
      }
      // The browser paints `Canvas` and the text in it by the theme.
      const [ground, text] = await page.evaluate(() => {
        const filters = getComputedStyle(document.getElementById('filters') as HTMLElement);
        return [filters.backgroundColor, filters.color].map((colour) => Number(/\d+/.exec(colour)?.[0]));
      });
      if (colorScheme === 'dark') expect(ground).toBeLessThan(60);
      else expect(ground).toBeGreaterThan(200);
      expect(Math.abs((ground as number) - (text as number))).toBeGreaterThan(150);
      await page.click('#scores thead button:text-is("pixel AP")'); // The heads are there to sort, too.
    }),
  );

  it('is complete without JavaScript', () =>
    withPage(report, { javaScriptEnabled: false }, async (page) => {
      expect(await page.locator('#filters').isVisible()).toBe(false);
      expect(await page.locator('#scores tbody tr:visible').count()).toBe(12);
      expect(await page.locator('thead button').count()).toBe(0);
      expect(await page.locator('.case:visible').count()).toBe(25);
    }));

  it('draws curves over the numbers of photographs for each type', () =>
    withPage(withShots, { viewport: { width: 400, height: 800 } }, async (page) => {
      const titles = await page.locator('#shots h3').allTextContents();
      expect(titles).toEqual(['average', 'crack', HOSTILE.type]);
      expect(await page.locator('#shots polyline').count()).toBe(9);
      await page.selectOption('#filters [name=detector]', 'patchcore');
      expect(await page.locator('#shots g:not([hidden])').count()).toBe(3);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(400);
    }));

  it('makes each thumbnail once, and again if an image changes', async () => {
    const place = join(dirname(report), 'thumbnails');
    const state = () => readdirSync(place).map((name) => [name, statSync(join(place, name)).mtimeMs] as const);
    const before = state();
    expect(before.length).toBeLessThan(readFileSync(report, 'utf8').match(/<img/g)?.length ?? 0); // Some are shared.
    writeFileSync(join(place, '0123456789abcdef.webp'), 'old');
    const [damaged] = before[0] as (typeof before)[0];
    writeFileSync(join(place, damaged), 'half a fi');
    await writeReportOf(join(folder, 'plain'), { images: 14 });
    const after = state();
    expect(after.map(([name]) => name)).toEqual(before.map(([name]) => name));
    expect(after.slice(1)).toEqual(before.slice(1));
    expect(statSync(join(place, damaged)).size).toBeGreaterThan(20);
  });
});
