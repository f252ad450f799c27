import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RawImage } from '../../lib/core/image.js';
import type { PairRecord } from '../../lib/dataset/pair-record.js';
import type { PairWriter } from '../../lib/dataset/pair-writer.js';
import { writeReport } from '../../lib/report/report.js';
import { browserPath } from '../helpers/browser.js';
import { HOSTILE, writeImage, writeMask } from '../helpers/reports.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const path = join(folder, 'report.html');
let browser: Browser;

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: browserPath(), args: ['--no-sandbox', '--disable-gpu'] });
  const records: PairRecord[] = [];
  for (let index = 0; index < 4; index++) {
    const [image, mask] = [`image ${index}.png`, `mask ${index}.png`];
    await writeImage(join(folder, image), index);
    await writeMask(join(folder, mask), index);
    const shown = { image, part: image, mask, coverage: 0.1, touches: index !== 2 };
    records.push({ index, seed: 0, type: HOSTILE.type, ...shown, synthetic: true, settings: {} });
  }
  const pixels = new RawImage({ data: new Uint8Array(3 * 16), width: 4, height: 4, channels: 3 });
  const maskPixels = new RawImage({ data: new Uint8Array(16), width: 4, height: 4, channels: 1 });
  await writeReport(path, {
    ...{ title: HOSTILE.row, examples: [{ name: '000', pixels, maskPixels }], losses: [], settings: {}, times: {} },
    real: { images: [[{ area: 0.1, x: 0.5, y: 0.5 }]], showsPlaces: true },
    writer: { folder, records, kept: records } as unknown as PairWriter,
  });
});
afterAll(() => browser.close());

/** Opens the report without a network, and fails on every problem. */
async function withReport(options: BrowserContextOptions, look: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext({ offline: true, ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => problems.push(message.text()));
  await page.goto(pathToFileURL(path).href);
  await look(page);
  expect(await page.evaluate(() => (globalThis as { hacked?: number }).hacked)).toBeUndefined();
  expect(problems).toEqual([]);
  await context.close();
}

const cards = (page: Page) =>
  page.$$eval('.card', (found) => found.map((card) => card.getAttribute('aria-label') ?? 'no label'));

it('the report of run filters and sorts its pairs, those that need a look first', () =>
  withReport({}, async (page) => {
    expect(await cards(page)).toEqual(['Pair 2', 'Pair 0', 'Pair 1', 'Pair 3']);
    await page.click('summary:has-text("Filter and sort (4 of 4 pairs)")');
    await page.selectOption('label:has-text("Suspicion") select', 'any');
    expect(await cards(page)).toEqual(['Pair 2']);
    await page.click('button:text-is("Show all")');
    await page.selectOption('label:has-text("Sort by") select', 'index');
    await page.selectOption('label:has-text("Order") select', 'down');
    expect(await cards(page)).toEqual(['Pair 3', 'Pair 2', 'Pair 1', 'Pair 0']);
    await page.fill('[aria-label="Size, from"]', '50');
    expect(await page.textContent('#pair-list')).toContain('No pair matches the filters.');
  }));

it('the report of run is complete without JavaScript', () =>
  withReport({ javaScriptEnabled: false }, async (page) => {
    expect(await page.locator('.card:visible').count()).toBe(4);
    expect(await page.locator('summary').count()).toBe(0);
    expect(await page.locator('.histogram:visible').count()).toBe(3);
  }));

it.each(['light', 'dark'] as const)('the report of run fits 400 pixels in the %s theme', (colorScheme) =>
  withReport({ colorScheme, viewport: { width: 400, height: 800 } }, async (page) => {
    await page.click('summary:has-text("Filter and sort")');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(400);
  }),
);
