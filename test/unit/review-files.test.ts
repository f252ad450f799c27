/** Jobs use what people decided about the pairs of other jobs. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FolderStore } from '../../lib/store/folder-store.js';
import { jobFileKey, publishResult } from '../../lib/store/results.js';
import { fetchInput } from '../../lib/worker/inputs.js';
import { scratchFolder } from '../helpers/scratch.js';

const scratch = scratchFolder();
const ID = '0'.repeat(32);

it('a job that reads the pairs of another one gets their reviews and corrected masks, and no other new files', async () => {
  const store = new FolderStore(join(scratch, 'store'));
  const files = [];
  for (const path of ['crack/dataset/pairs.jsonl', 'crack/report.html']) {
    files.push({ path, ...(await store.put(jobFileKey(ID, path), path)) });
  }
  await publishResult(store, ID, { kind: 'campaign', result: {}, files });
  const added = [
    'reviews.jsonl',
    'corrected/crack/000000_mask-2.png',
    'corrected/crack/000003_mask-4.png',
    'other.txt',
  ];
  for (const path of added) await store.put(jobFileKey(ID, `crack/dataset/${path}`), `new ${path}`);
  const folder = join(scratch, 'job');
  mkdirSync(folder);
  const read = (path: string) => fetchInput({ kind: 'job', id: ID, path }, { datasets: {} }, { store, folder });
  const path = await read('crack/dataset');
  const found = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(found.map(({ name }) => name).sort()).toEqual([
    ...['000000_mask-2.png', '000003_mask-4.png', 'pairs.jsonl', 'reviews.jsonl'],
  ]);
  expect(readFileSync(join(path, 'reviews.jsonl'), 'utf8')).toBe('new reviews.jsonl');
});
