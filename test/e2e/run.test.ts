import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { Dataset, embedded } from '../../lib/index.js';
import { browserPath } from '../helpers/browser.js';
import { cli, flagsOf } from '../helpers/cli.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();

describe('run', () => {
  it('run does the main job, and its report opens in a browser', async () => {
    const out = join(folder, 'out');
    const options = { data: embedded.example, type: 'stain', out, trainSteps: 6, count: 2, steps: 3 };
    const flags = flagsOf({ ...options, resolution: 32, rank: 2, mask: 'threshold', json: true });
    const { code, stdout, stderr } = await cli(['run', ...flags]);
    expect(stderr).toMatch(/^note: stain: (whole images|windows of \d+ pixels): .*\n$/); // and nothing else
    expect(code).toBe(0);
    const { types } = JSON.parse(stdout);
    expect(types).toHaveLength(1);
    expect(types[0]).toMatchObject({ type: 'stain', pairs: 2 });
    const report = types[0].report as string;
    expect(readFileSync(report, 'utf8')).not.toMatch(/(src|href)="(?!thumbnails\/|dataset\/)/); // nothing elsewhere

    const browser = await chromium.launch({
      executablePath: browserPath(),
      args: ['--no-sandbox', '--disable-gpu'],
    });
    try {
      const page = await browser.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('requestfailed', (request) => problems.push(request.url()));
      await page.goto(pathToFileURL(report).href);
      expect(await page.title()).toBe('brushed_metal: stain');
      const pictures = await page.$$eval('img', async (images) => {
        for (const image of images) image.loading = 'eager';
        await Promise.all(images.map((image) => image.decode()));
        return images.map((image) => image.complete && image.naturalWidth > 0);
      });
      const examples = await (await Dataset.open(embedded.example)).examples('stain');
      expect(pictures).toHaveLength(2 * 4 + 3 * examples.length); // Every image of the type trains.
      expect(pictures.every(Boolean)).toBe(true);
      expect(await page.locator('#loss path.mean').getAttribute('d')).toMatch(/^M.*L/);
      expect(await page.locator('#pairs .card').count()).toBe(2);
      await page.setViewportSize({ width: 390, height: 800 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
      expect(problems).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

describe('doctor and libtorch', () => {
  it('doctor and libtorch say that all is well', async () => {
    const { code, stdout } = await cli(['doctor', '--json']);
    const { checks } = JSON.parse(stdout);
    expect(checks.filter((check: { ok: boolean }) => !check.ok)).toEqual([]);
    expect(code).toBe(0);
    expect(JSON.parse((await cli(['libtorch', 'where', '--json'])).stdout).version).toContain('2.11.0');
    expect((await cli(['libtorch', 'list'])).stdout).toContain('cache');
  });

  it('doctor and libtorch say what is wrong and what to do', async () => {
    const env = { LIBTORCH: join(folder, 'nowhere') };
    const where = await cli(['libtorch', 'where'], { env });
    expect(where).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_LIBTORCH_MISSING') });
    const doctor = await cli(['doctor'], { env });
    expect(doctor.code).toBe(1);
    expect(doctor.stdout).toMatch(/FAIL libtorch .*nowhere, which LIBTORCH names\n +-> correct LIBTORCH or unset it\n/);
    const mask = await cli(['mask', '--parts', join(embedded.example, 'test/scratch'), '--out', join(folder, 'm')], {
      env,
    });
    expect(mask).toMatchObject({ code: 1, stderr: expect.stringContaining('`npx dualanodiff libtorch install`') });
  });
});
