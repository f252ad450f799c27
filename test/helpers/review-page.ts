/** Folders of small pairs, the command `review` in a process of its own, and its page in a browser. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { PairWriter } from '../../lib/dataset/pair-writer.js';
import { browserPath } from './browser.js';
import { main } from './cli.js';
import { noise } from './reports.js';

export const [WIDTH, HEIGHT] = [96, 64];
/** The box that the mask of a pair marks. */
export const boxOf = (index: number) => ({
  left: 8 + ((index * 13) % 50),
  top: 6 + ((index * 7) % 36),
  width: 24,
  height: 12,
});

function marked(index: number): Uint8Array {
  const data = new Uint8Array(WIDTH * HEIGHT);
  const { left, top, width, height } = boxOf(index);
  for (let y = top; y < top + height; y++) data.fill(255, y * WIDTH + left, y * WIDTH + left + width);
  return data;
}

/** Writes pairs of noise with a dark box as the defect. The masks of `empty` mark nothing. */
export async function writePairs(
  folder: string,
  count: number,
  { type = 'scratch', empty = [] as number[] } = {},
): Promise<void> {
  await using writer = await PairWriter.open(folder, { type, recipe: 'augment', settings: {} });
  const size = { width: WIDTH, height: HEIGHT };
  for (let index = 0; index < count; index++) {
    const mask = empty.includes(index) ? new Uint8Array(WIDTH * HEIGHT) : marked(index);
    const image = noise(3 * WIDTH * HEIGHT, index).map(
      (value, i) => 96 + (value >> 2) - (mask[Math.floor(i / 3)] ? 80 : 0),
    );
    const part = image.map((value, i) => (mask[Math.floor(i / 3)] ? value : 128));
    await writer.write({
      ...{ index, seed: index },
      image: { data: image, ...size, channels: 3 },
      part: { data: part, ...size, channels: 3 },
      mask: { data: mask, ...size, channels: 1 },
      ...{ maskMethod: 'threshold', agreement: { 'u2net/threshold': ((index * 3) % 10) / 10 } },
    });
  }
}

export interface ReviewProcess {
  /** The address that opens the page. */
  address: string;
  /** Ends the process with a signal, and waits until it has ended. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Starts the command, and waits until it has printed its address. */
export async function startReview(folder: string, ...flags: string[]): Promise<ReviewProcess> {
  const child = spawn(process.execPath, [main, 'review', folder, ...flags]);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const address = await new Promise<string>((resolve, reject) => {
    let output = '';
    const read = (data: Buffer) => {
      output += data;
      const [found] = /http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+/.exec(output) ?? [];
      if (found) resolve(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void ended.then(() => reject(new Error(`review ended without an address: ${output}`)));
  });
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  return { address, end };
}

/** Reviews that end with their test, and the browser that shows them. */
export interface Reviews {
  /** Writes pairs below the folder, and starts their review. */
  review(name: string, count: number, options?: { empty?: number[] }): Promise<ReviewProcess & { pairs: string }>;
  /** Starts the review of pairs. */
  start(pairs: string, ...flags: string[]): Promise<ReviewProcess>;
  newPage(options?: BrowserContextOptions): Promise<Page>;
  /** Opens a page in a context of its own. `problems` gets what the page should not do. */
  open(address: string, options?: BrowserContextOptions): Promise<{ page: Page; problems: string[] }>;
}

/** Opens a browser for the tests of a file. */
export function reviewsBelow(folder: string): Reviews {
  let browser: Browser;
  const running = new Set<ReviewProcess>();
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: browserPath(), args: ['--no-sandbox', '--disable-gpu'] });
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    for (const review of running) await review.end('SIGKILL');
    running.clear();
  });
  const start = async (pairs: string, ...flags: string[]) => {
    const started = await startReview(pairs, ...flags);
    running.add(started);
    return started;
  };
  const newPage = async (options: BrowserContextOptions = {}) =>
    (await browser.newContext({ viewport: { width: 1000, height: 700 }, ...options })).newPage();
  return {
    async review(name, count, options) {
      const pairs = join(folder, name);
      await writePairs(pairs, count, options);
      return { pairs, ...(await start(pairs)) };
    },
    start,
    newPage,
    async open(address, options) {
      const page = await newPage(options);
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('console', (message) => problems.push(message.text()));
      await page.goto(address);
      await selected(page).waitFor();
      return { page, problems };
    },
  };
}

const grid = (page: Page) => page.getByRole('listbox', { name: 'Pairs' });
/** The cells of the pairs that have elements. */
export const cells = (page: Page): Locator => grid(page).getByRole('option');
export const cell = (page: Page, index: number): Locator => grid(page).getByRole('option', { name: `Pair ${index},` });
export const selected = (page: Page): Locator => grid(page).getByRole('option', { selected: true });
export const choice = (page: Page, name: string): Locator => page.getByRole('combobox', { name, exact: true });
export const status = (page: Page): Locator => page.locator('header [role=status]');
/** Waits until the page says this about the review. */
export const says = (page: Page, text: string): Promise<void> => status(page).filter({ hasText: text }).waitFor();

/** Returns the label, or else the text, of what has the focus. */
export const focused = (page: Page): Promise<string | null | undefined> =>
  page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent);

export async function press(page: Page, ...keys: string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

/** Returns the marked pixels of a mask file, and checks that it is a grey image of 0 and 255. */
export async function marksIn(file: string | Buffer): Promise<Set<number>> {
  const { width, height, channels } = await sharp(file).metadata();
  expect([width, height, channels]).toEqual([WIDTH, HEIGHT, 1]);
  const levels = await sharp(file).toColourspace('b-w').raw().toBuffer();
  expect([...new Set(levels)].filter((level) => level !== 0 && level !== 255)).toEqual([]);
  return new Set([...levels].flatMap((level, i) => (level === 255 ? [i] : [])));
}

/** Returns the corrected mask as the server sends it. */
export async function maskFrom(page: Page, id: number): Promise<Set<number>> {
  const response = await page.request.get(new URL(`/api/pairs/${id}/mask`, page.url()).href);
  return marksIn(await response.body());
}
