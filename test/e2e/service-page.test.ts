/** The page of the service in a browser: the token, the list, a job as it goes on, and its buttons. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AbortedError } from '../../lib/core/errors.js';
import type { RunContext, RunJob } from '../../lib/queue/job-queue.js';
import { jobFileKey } from '../../lib/store/results.js';
import { browserPath } from '../helpers/browser.js';
import { publishPairs } from '../helpers/job-pairs.js';
import { scratchFolder } from '../helpers/scratch.js';
import { openService, photograph, type TestService } from '../helpers/service.js';

const scratch = scratchFolder();
const TOKEN = 'a-token-that-is-long-enough';
let browser: Browser;
let made: TestService;
let running: RunContext | undefined;

const run: RunJob = async (job, context) => {
  running = context;
  if (job.kind === 'generate') {
    await publishPairs(made.store, job.id, scratch);
    const [image, part] = ['pairs/test/crack/000000.png', 'pairs/part/crack/000000.png'];
    context.onEvent({ event: 'pair', index: 0, type: 'crack', image, part });
    return {};
  }
  return new Promise((_resolve, reject) => context.signal.addEventListener('abort', () => reject(new AbortedError())));
};

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: browserPath(), args: ['--no-sandbox', '--disable-gpu'] });
  const worker = {
    ...{ id: 'a', host: 'plant-1', device: 'NVIDIA H200', memoryBytes: 140e9, gpuUsedBytes: 20.5e9, bases: ['sd15'] },
    ...{ since: '2026-11-30T10:00:00.000Z', jobs: [], rates: [{ stage: 'train', unit: 'steps', perSecond: 7.25 }] },
  };
  made = await openService(join(scratch, 'page'), { run, token: TOKEN, workers: async () => [worker] });
});
afterAll(async () => {
  await browser.close();
  await made[Symbol.asyncDispose]();
});

describe('the page of the service', () => {
  it('asks for the token, shows a job as it goes on, cancels it, runs it again, and leads to the review of pairs', async () => {
    const options = { data: 'tile', type: '<b>crack</b>' };
    const { id } = await made.queue.submit({ kind: 'learn', options, datasets: {}, priority: 0 });
    const address = await made.app.listen({ port: 0, host: '127.0.0.1' });
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('401')) problems.push(message.text());
    });
    const waitFor = (text: string) => page.getByText(text).first().waitFor({ timeout: 20_000 });

    await page.goto(address);
    await page.getByLabel('Token').fill('wrong');
    await page.getByRole('button', { name: 'Open' }).click();
    await waitFor('with a token of this service');
    await page.getByLabel('Token').fill(TOKEN);
    await page.getByRole('button', { name: 'Open' }).click();
    await waitFor('<b>crack</b>');

    await page.getByRole('cell', { name: '20.5 GB of 140.0 GB' }).waitFor();
    await page.getByRole('cell', { name: 'train: 7.3 steps/s' }).waitFor();
    await page.getByRole('button', { name: 'learn' }).click();
    for (const [done, loss] of [
      [1, 0.5],
      [2, 0.25],
    ] as const) {
      running?.onEvent({ event: 'progress', stage: 'train', unit: 'steps', done, total: 2, loss });
    }
    await waitFor('running, train: 2 of 2 steps');
    await page.getByRole('img', { name: 'loss 0.2500 after 2 steps' }).waitFor();
    await made.store.put(jobFileKey(id, 'test/a.png'), await photograph());
    running?.onEvent({ event: 'pair', index: 0, type: 'crack', image: 'test/a.png', part: 'part/a.png' });
    const picture = page.getByRole('img', { name: 'pair 0' });
    await picture.waitFor();
    await expect.poll(() => picture.evaluate((image: { naturalWidth: number }) => image.naturalWidth)).toBe(8);

    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Retry' }).waitFor();
    expect(await made.queue.get(id)).toMatchObject({ state: 'cancelled' });
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.getByRole('button', { name: 'Cancel' }).waitFor();
    expect(await made.queue.get(id)).toMatchObject({ state: 'running', attempts: 2 });

    const pairs = await made.queue.submit({ kind: 'generate', options: {}, datasets: {}, priority: 0 });
    await made.queue.cancel(id);
    await page.getByRole('button', { name: 'generate' }).click();
    await page.getByRole('button', { name: 'Review the pairs' }).click();
    await page.getByRole('heading', { name: `Review of generate ${pairs.id.slice(0, 8)}` }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/v1/jobs/${pairs.id}/review/`);
    await page.keyboard.press('d');
    await waitFor('0 kept, 1 dropped, 2 undecided.');
    const reviews = () => readFileSync(join(made.store.place, 'jobs', pairs.id, 'files/pairs/reviews.jsonl'), 'utf8');
    await expect.poll(reviews).toContain('"action":"drop"');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /Pair 1/ }).waitFor();
    await page.goBack();
    await page.getByRole('button', { name: 'Review the pairs' }).waitFor();
    expect(problems).toEqual([]);
  });

  it('shows older jobs, the job of a link, and says that there is no such job, at any width', async () => {
    await using other = await openService(join(scratch, 'many'), { maxQueued: 999 });
    await other.queue.pause();
    const submit = (type: string) =>
      other.queue.submit({ kind: 'learn', options: { data: 'tile', type }, datasets: {}, priority: 0 });
    const first = await submit('oldest '.repeat(40));
    await submit('x'.repeat(200));
    for (let i = 0; i < 110; i++) await submit('crack');
    const address = await other.app.listen({ port: 0, host: '127.0.0.1' });
    const page = await browser.newPage({ viewport: { width: 400, height: 800 } });
    await page.goto(`${address}/#${first.id}`);
    await page.getByRole('heading', { name: `learn ${first.id}` }).waitFor();
    const rows = page.locator('.list tbody tr');
    expect(await rows.count()).toBe(100);
    await page.getByRole('button', { name: 'Show older jobs' }).click();
    await expect.poll(() => rows.count(), { timeout: 30_000 }).toBe(112);
    await page.getByRole('row', { name: 'oldest' }).getByRole('button').click();
    await expect.poll(() => page.locator('.list tr[aria-current=true]').count(), { timeout: 30_000 }).toBe(1);
    const widths = await page.evaluate('[document.documentElement.scrollWidth, innerWidth]');
    expect(widths).toEqual([400, 400]);
    const lines = `(() => {
      const range = document.createRange();
      range.selectNodeContents(document.querySelector('.list tbody td:nth-child(4)'));
      return range.getClientRects().length;
    })()`;
    expect(await page.evaluate(lines)).toBe(1); // The word is not broken.
    await page.goto(`${address}/#${'0'.repeat(32)}`);
    await page.getByText('There is no job 00000000').waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: `learn ${first.id}` }).waitFor();
    await page.close();
  });

  it('shows the status of a proxy that answers with a page of its own', async () => {
    const page = await browser.newPage();
    await page.route('**/v1/jobs?*', (route) =>
      route.fulfill({ status: 502, contentType: 'text/html', body: '<html>Bad Gateway</html>' }),
    );
    await page.goto(`http://127.0.0.1:${(made.app.server.address() as { port: number }).port}`);
    await page.getByText('The service does not answer: 502 Bad Gateway').waitFor();
    await page.close();
  });
});
