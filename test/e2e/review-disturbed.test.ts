import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { boxOf, focused, maskFrom, press, reviewsBelow, says, status, writePairs } from '../helpers/review-page.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
const { open, review, start } = reviewsBelow(folder);

describe('a review that others, the server or the disk disturb', () => {
  it('says what is not saved while the server is away, and goes on where it was after a kill', async () => {
    const { address, pairs, end } = await review('kill', 8);
    const { page } = await open(address);
    await press(page, 'k', 'd', 'k');
    await says(page, '2 kept, 1 dropped, 5 undecided. Pair 2 is kept.');
    await end('SIGKILL');
    await press(page, 'd', 'd');
    await page
      .getByRole('alert')
      .filter({ hasText: 'The server does not answer, or is too busy. 2 changes are not saved.' })
      .waitFor();
    expect(await status(page).textContent()).toContain('2 kept, 3 dropped, 3 undecided');
    const again = await start(pairs, '--port', new URL(address).port);
    await page
      .getByRole('alert')
      .filter({
        hasText: 'This page has expired. 2 changes are not saved. Open it again: from the page of the service',
      })
      .waitFor();
    const { page: next, problems } = await open(again.address);
    await says(next, '2 kept, 1 dropped, 5 undecided');
    expect(await focused(next)).toContain('Pair 3, scratch, undecided');
    await press(next, 'k');
    await says(next, '3 kept, 1 dropped, 4 undecided');
    expect(problems).toEqual([]);
  });

  it('sends what is not saved when the server answers again', async () => {
    const { address } = await review('away', 4);
    const { page } = await open(address);
    await page.context().setOffline(true);
    await press(page, 'k', 'd');
    await page.getByRole('alert').filter({ hasText: '2 changes are not saved.' }).waitFor();
    await page.context().setOffline(false);
    await page.getByRole('alert').waitFor({ state: 'detached' });
    const { page: other } = await open(address);
    await says(other, '1 kept, 1 dropped, 2 undecided');
  });

  it('shows what the server refuses, and leaves the pair as it was', async () => {
    const { address } = await review('refused', 3);
    const { page } = await open(address);
    const error = { code: 'ERR_FILE_ACCESS', message: 'There is no space left on the disk' };
    await page.route('**/decision', (route) => route.fulfill({ status: 500, json: { error } }));
    await press(page, 'k');
    await says(page, '0 kept, 0 dropped, 3 undecided. Not saved: There is no space left on the disk');
    await page.unroute('**/decision');
    await press(page, 'Home', 'k');
    await says(page, 'Pair 0 is kept.');
    await press(page, 'u', 'u'); // The refused decision is nothing that can be undone.
    await says(page, '0 kept, 0 dropped, 3 undecided. Pair 0 is as it was before.');
  });

  it('goes on with a pair whose files are gone', async () => {
    const pairs = join(folder, 'gone');
    await writePairs(pairs, 3);
    rmSync(join(pairs, 'test', 'scratch', '000000.png'));
    const { address } = await start(pairs);
    const { page } = await open(address);
    expect(await focused(page)).toMatch(/^Pair 0.*missing/);
    expect(await page.getByRole('button', { name: 'Keep' }).isDisabled()).toBe(true);
    await press(page, 'k', 'm', 'Enter');
    await page.getByText('missing').first().waitFor();
    await says(page, '0 kept, 0 dropped, 3 undecided.');
    rmSync(join(pairs, 'ground_truth', 'scratch', '000001_mask.png'));
    await press(page, 'n', 'm');
    await says(page, 'The mask of Pair 1 cannot be mended, because a picture could not be loaded.');
    await press(page, 'n', 'd');
    await says(page, '0 kept, 1 dropped, 2 undecided.');
  });

  it('shows each of two reviewers what the other does, and the last decision wins', async () => {
    const { address } = await review('two', 4);
    const [{ page: one }, { page: two }] = [await open(address), await open(address)];
    await press(one, 'k');
    await says(two, 'Another reviewer kept Pair 0.');
    await says(two, '1 kept, 0 dropped, 3 undecided');
    await press(two, 'Home', 'd');
    await says(one, 'Another reviewer dropped Pair 0.');
    await says(one, '0 kept, 1 dropped, 3 undecided');
    await press(one, 'm');
    await one.getByRole('img', { name: 'The image with the mask' }).waitFor();
    await press(one, 'g');
    await press(two, 'm');
    await two.getByRole('img', { name: 'The image with the mask' }).waitFor();
    await press(two, 's', 'Enter');
    await says(one, 'Another reviewer corrected the mask of Pair 1.');
    const { width, height } = boxOf(1);
    await one.getByText(`${(width + 2) * (height + 2) - 4} pixels are marked`).waitFor(); // The own mask stays.
    await press(one, 'Enter');
    await says(two, 'Another reviewer corrected the mask of Pair 1.');
    expect((await maskFrom(two, 1)).size).toBe((width + 2) * (height + 2) - 4);
    await press(one, 'u');
    await says(one, 'Pair 1 is as it was before.');
    expect((await maskFrom(two, 1)).size).toBe((width - 2) * (height - 2));
    await press(one, 'u'); // The other decision came later, so that this one cannot be undone.
    await says(one, 'Not undone:');
    await says(one, '0 kept, 1 dropped, 3 undecided');
  });
});
