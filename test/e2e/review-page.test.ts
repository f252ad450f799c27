import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  boxOf,
  cell,
  cells,
  choice,
  focused,
  HEIGHT,
  marksIn,
  maskFrom,
  press,
  type ReviewProcess,
  reviewsBelow,
  says,
  selected,
  startReview,
  status,
  WIDTH,
  writePairs,
} from '../helpers/review-page.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const { newPage, open, review } = reviewsBelow(folder);
/** A review of three pairs in which nothing is decided. */
let untouched: ReviewProcess;

beforeAll(async () => {
  await writePairs(join(folder, 'untouched'), 3);
  untouched = await startReview(join(folder, 'untouched'));
});
afterAll(() => untouched.end('SIGTERM'));

describe('the page of review', () => {
  it('keeps, drops and takes back with the keyboard alone', async () => {
    const { address, pairs } = await review('keyboard', 30, { empty: [3] });
    const { page, problems } = await open(address);
    expect(await focused(page)).toBe(await selected(page).getAttribute('aria-label'));
    expect(await focused(page)).toContain('Pair 0, scratch, undecided');
    await press(page, 'k', 'd', 'k');
    await says(page, '2 kept, 1 dropped, 27 undecided');
    expect(await focused(page)).toContain('Pair 3, scratch, undecided, empty mask');
    await press(page, 'u');
    await says(page, '1 kept, 1 dropped, 28 undecided');
    expect(await focused(page)).toContain('Pair 2, scratch, undecided');
    await press(page, 'ArrowLeft', 'Shift+U');
    await says(page, '1 kept, 0 dropped, 29 undecided');
    await press(page, 'End');
    expect(await focused(page)).toContain('Pair 29');
    await press(page, 'd', 'Home', 'ArrowDown');
    await says(page, '1 kept, 1 dropped, 28 undecided');
    const columns = 6;
    expect(await focused(page)).toContain(`Pair ${columns},`);

    await press(page, 'Enter');
    await page.getByRole('img', { name: `Generated image of Pair ${columns}` }).waitFor();
    expect(await focused(page)).toContain(`Pair ${columns}, scratch, ${columns + 1} of 30`);
    await press(page, 'ArrowRight', 'k');
    await says(page, '2 kept, 1 dropped, 27 undecided');
    await page.getByRole('heading', { name: 'Pair 8, scratch' }).waitFor();
    await press(page, 'Escape');
    expect(await focused(page)).toContain('Pair 8');

    await press(page, '?');
    const help = page.getByRole('dialog', { name: 'Keys' });
    await help.waitFor();
    expect(await help.getByRole('row', { name: 'K keep the pair' }).count()).toBe(1);
    await press(page, 'k', 'Escape'); // Keys do nothing behind the dialog.
    await help.waitFor({ state: 'hidden' });
    expect(await status(page).textContent()).toContain('2 kept');
    const decisions = readFileSync(join(pairs, 'reviews.jsonl'), 'utf8').trimEnd().split('\n');
    expect(decisions.length).toBe(7);
    expect(problems).toEqual([]);
  });

  it('takes keys from the moment that the pairs are shown', async () => {
    const page = await newPage();
    await page.addInitScript(() => {
      // The observer runs as soon as the cell is in the document, before the browser paints it.
      const observer = new MutationObserver(() => {
        const shown = document.querySelector('[role=option][aria-selected=true]');
        if (!shown) return;
        observer.disconnect();
        shown.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
      });
      observer.observe(document, { childList: true, subtree: true });
    });
    await page.goto(untouched.address);
    await page.getByRole('heading', { name: 'Pair 0' }).waitFor();
  });

  it('keeps keys from the pairs behind the help from the moment that it is there', async () => {
    const { page } = await open(untouched.address);
    await page.evaluate(() => {
      const observer = new MutationObserver(() => {
        if (!document.querySelector('dialog')) return;
        observer.disconnect();
        window.dispatchEvent(new KeyboardEvent('keydown', { key: 'k' }));
        document.title = 'pressed';
      });
      observer.observe(document.body, { childList: true, subtree: true });
    });
    await press(page, '?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    expect([await page.title(), await status(page).textContent()]).toEqual([
      'pressed',
      expect.stringContaining('0 kept'),
    ]);
  });

  it('is used with the mouse, and filters and sorts', async () => {
    const { address } = await review('mouse', 12, { empty: [4] });
    const { page, problems } = await open(address);
    await cell(page, 5).click();
    await page.getByRole('button', { name: 'Drop' }).click();
    await says(page, '0 kept, 1 dropped, 11 undecided');
    await cell(page, 7).dblclick();
    await page.getByRole('button', { name: 'Keep' }).click();
    await says(page, '1 kept, 1 dropped, 10 undecided');
    await page.getByRole('button', { name: 'All pairs' }).click();

    const labels = () =>
      cells(page).evaluateAll((cells) => cells.map((cell) => Number(/Pair (\d+)/.exec(cell.ariaLabel ?? '')?.[1])));
    await choice(page, 'Decision').selectOption('undecided');
    expect(await labels()).toEqual([0, 1, 2, 3, 4, 6, 8, 9, 10, 11]);
    await cell(page, 0).click();
    await press(page, 'k'); // The decision hides the pair, and the next one takes its place.
    await cell(page, 0).waitFor({ state: 'detached' });
    expect(await selected(page).getAttribute('aria-label')).toContain('Pair 1,');
    await choice(page, 'Suspicion').selectOption('empty mask');
    expect(await labels()).toEqual([4]);
    await page.getByRole('button', { name: 'Show all' }).click();
    await choice(page, 'Sort by').selectOption('Agreement');
    expect((await labels()).slice(0, 4)).toEqual([0, 10, 7, 4]);
    await choice(page, 'Order').selectOption('largest first');
    expect((await labels())[0]).toBe(3);
    await page.getByLabel('Agreement, to').fill('0.25');
    expect(await labels()).toEqual([4, 7, 0, 10]);
    await choice(page, 'Suspicion').selectOption('cannot be shown');
    await page.getByText('No pair matches the filters.').waitFor();
    expect(await page.getByRole('button', { name: 'Keep' }).isDisabled()).toBe(true);
    expect(problems).toEqual([]);
  });

  it('mends a mask with the mouse and with keys, and undoes the correction', async () => {
    const { address, pairs } = await review('mask', 3);
    const { page, problems } = await open(address);
    const original = await marksIn(join(pairs, 'ground_truth', 'scratch', '000000_mask.png'));
    await press(page, 'm');
    const image = page.getByRole('img', { name: 'The image with the mask' });
    await image.waitFor();
    // The whole image is in the middle of the view.
    const view = (await image.boundingBox()) as { x: number; y: number; width: number; height: number };
    const scale = Math.min(view.width / WIDTH, view.height / HEIGHT);
    const [left, top] = [view.x + (view.width - scale * WIDTH) / 2, view.y + (view.height - scale * HEIGHT) / 2];
    const at = (x: number, y: number): [number, number] => [left + scale * (x + 0.5), top + scale * (y + 0.5)];
    const drag = async (...points: [number, number][]) => {
      const [first, ...others] = points as [[number, number], ...[number, number][]];
      await page.mouse.move(...at(...first));
      await page.mouse.down();
      for (const point of others) await page.mouse.move(...at(...point));
      await page.mouse.up();
    };
    await press(page, '[', '[', '[', '[');
    await page.getByLabel('Size of the brush').filter({ hasText: /^1$/ }).waitFor();
    await drag([70, 50], [80, 50]); // This line stays.
    await drag([2, 60], [90, 60]);
    await press(page, 'u');
    await press(page, 'e');
    const { left: boxLeft, top: boxTop, width, height } = boxOf(0);
    await drag([boxLeft, boxTop], [boxLeft + width, boxTop]); // The first row of the box goes.
    await press(page, 'u', 'r');
    // The cursor is at the end of the stroke, and keys draw three pixels down from there.
    await press(page, 'b', 'ArrowDown', ' ', 'ArrowDown', 'ArrowDown', ' ', 'ArrowDown');
    const expected = new Set(original);
    for (let x = 70; x <= 80; x++) expected.add(50 * WIDTH + x);
    for (let x = boxLeft; x < boxLeft + width; x++) expected.delete(boxTop * WIDTH + x);
    for (let y = 1; y <= 3; y++) expected.add((boxTop + y) * WIDTH + boxLeft + width);
    await page.getByText(`${expected.size} pixels are marked`).waitFor();
    await press(page, 'Enter');
    await page.getByRole('heading', { name: 'Pair 0' }).waitFor();
    await says(page, 'Pair 0 has a corrected mask.');
    expect(await maskFrom(page, 0)).toEqual(expected);
    expect(await page.getByText(`${expected.size} pixels`).count()).toBe(1);
    expect(expected.size).toBe(original.size + 11 - width + 3);
    expect(height).toBeGreaterThan(3);

    await press(page, 'u');
    await says(page, 'Pair 0 is as it was before.');
    expect(await maskFrom(page, 0)).toEqual(original);
    expect(problems).toEqual([]);
  });

  it('shows the mask over the image, zooms to single pixels, and moves the image', async () => {
    const { page } = await open(untouched.address);
    await press(page, 'Enter', 'l'); // The outline would cover pixels.
    const canvas = page.getByRole('img', { name: 'Generated image of Pair 0' });
    await canvas.waitFor();
    /** The colours of the row in the middle of the view, from left to right. */
    const row = () =>
      canvas.evaluate((element) => {
        const { width, height } = element as HTMLCanvasElement;
        const context = (element as HTMLCanvasElement).getContext('2d') as CanvasRenderingContext2D;
        const { data } = context.getImageData(0, Math.floor(height / 2), width, 1);
        return Array.from({ length: width }, (_, i) => [...data.subarray(4 * i, 4 * i + 3)].join());
      });
    const redOf = (colour: string | undefined) => Number(colour?.split(',')[0]);
    await press(page, 'z', ...Array(12).fill('+'));
    await expect.poll(async () => new Set(await row()).size).toBeLessThan(12); // Smoothed pixels have hundreds of colours.
    const zoomed = await row();
    expect(new Set(zoomed).size).toBeGreaterThan(4);
    const middle = Math.floor(zoomed.length / 2);
    expect(redOf(zoomed[middle])).toBeLessThan(80); // The defect is dark.
    await press(page, 'o');
    await expect.poll(async () => redOf((await row())[middle])).toBeGreaterThan(100);
    await press(page, 'o');
    const { x, y, width, height } = (await canvas.boundingBox()) as {
      x: number;
      y: number;
      width: number;
      height: number;
    };
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width / 2 + 20, y + height / 2);
    await page.mouse.up();
    await expect.poll(async () => (await row()).slice(20)).toEqual(zoomed.slice(0, -20));
    await press(page, '0');
    await expect.poll(async () => new Set(await row()).size).toBeGreaterThan(60);
  });

  it('asks before it forgets a mask that is not saved', async () => {
    const { page } = await open(untouched.address);
    await press(page, 'm');
    await page.getByRole('img', { name: 'The image with the mask' }).waitFor();
    await press(page, 'g');
    page.once('dialog', (dialog) => dialog.dismiss());
    await press(page, 'Escape');
    await page.getByText('pixels are marked').waitFor(); // It is still there.
    page.once('dialog', (dialog) => dialog.accept());
    await press(page, 'Escape');
    await page.getByRole('heading', { name: 'Pair 0' }).waitFor();
    expect(await maskFrom(page, 0)).toEqual(
      await marksIn(join(folder, 'untouched', 'ground_truth', 'scratch', '000000_mask.png')),
    );
  });

  it('keeps few elements, and stops loading pictures that are out of sight, for 10,000 pairs', async () => {
    const page = await newPage();
    const started = new Set<string>();
    const failed: string[] = [];
    await page.route('**/api/pairs', async (route) => {
      const list = await (await route.fetch()).json();
      const pairs = Array.from({ length: 10_000 }, (_, index) => ({ ...list.pairs[index % 2], index }));
      await route.fulfill({ json: { ...list, pairs } });
    });
    await page.route('**/thumbnail/**', (route) => {
      started.add(route.request().url()); // Nobody answers.
    });
    page.on('requestfailed', (request) => failed.push(request.url()));
    await page.goto(untouched.address);
    await selected(page).waitFor();
    const count = () => page.locator('*').count();
    const atStart = await count();
    expect(atStart).toBeLessThan(600);
    await press(page, 'End');
    await cell(page, 9999).waitFor();
    expect(await focused(page)).toContain('Pair 9999');
    expect(await selected(page).getAttribute('aria-posinset')).toBe('10000');
    for (let i = 0; i < 40; i++) await page.mouse.wheel(0, -3000);
    await page.waitForFunction(() => (document.querySelector('.frame')?.scrollTop ?? 0) < 1_000_000);
    expect(await count()).toBeLessThan(atStart + 100);
    const pictures = await page.locator('.cell img').count();
    expect(pictures).toBeLessThan(80);
    await expect.poll(() => started.size - failed.length).toBeLessThanOrEqual(pictures);
    expect(await focused(page)).toContain('Pair 9999'); // The selected pair keeps the focus out of sight.
  });

  it('has names and roles for screen readers', async () => {
    const { page } = await open(untouched.address, { viewport: { width: 400, height: 800 } });
    expect(await page.locator('body').ariaSnapshot()).toMatch(
      /heading "Review of untouched" \[level=1\][\s\S]*listbox "Pairs"/,
    );
    expect(
      await page
        .locator('button, select, input')
        .evaluateAll(
          (elements) => elements.filter((element) => !element.textContent?.trim() && !element.ariaLabel).length,
        ),
    ).toBe(0);
    const outline = await selected(page).evaluate((element) => getComputedStyle(element).outline);
    expect(outline).toMatch(/solid 4px/); // The focus is visible.
    const width = () => page.evaluate(() => document.documentElement.scrollWidth);
    expect(await width()).toBe(400);
    await press(page, 'Enter');
    await page.getByRole('img', { name: 'Generated image of Pair 0, scratch' }).waitFor();
    expect(await width()).toBe(400);
    await press(page, 'm');
    await page.getByRole('img', { name: 'The image with the mask' }).waitFor();
    expect(await width()).toBe(400);
  });

  it('follows the theme of the system', async () => {
    const background = async (colorScheme: 'dark' | 'light') => {
      const { page } = await open(untouched.address, { colorScheme });
      return page.evaluate(() => {
        const probe = document.createElement('div');
        probe.style.background = 'Canvas';
        document.body.append(probe);
        return getComputedStyle(probe).backgroundColor;
      });
    };
    expect(await background('light')).toBe('rgb(255, 255, 255)');
    expect(await background('dark')).not.toBe('rgb(255, 255, 255)');
  });
});
