import { cpSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { PAIR_LIST, readPairList } from '../../lib/dataset/pair-list.js';
import type { PairRecord } from '../../lib/dataset/pair-record.js';
import { type PairReview, pairDigest, readReviewFile, reviewsOf } from '../../lib/dataset/reviews.js';
import { ReviewLog } from '../../lib/review/review-log.js';
import { expectFailure } from '../helpers/failures.js';
import { listFile, pngOf, writePairs } from '../helpers/reviewing.js';
import { scratchFolder } from '../helpers/scratch.js';

const folder = scratchFolder();
let made = 0;
/** Three pairs, of which every test gets a copy. */
const original = join(folder, 'original');
beforeAll(() => writePairs(original, 3));
function fresh(): string {
  const pairs = join(folder, `${made++}`);
  cpSync(original, pairs, { recursive: true });
  return pairs;
}

const recordsOf = async (pairs: string): Promise<PairRecord[]> => (await readPairList(join(pairs, PAIR_LIST))).records;

/** Does work with the log of a folder, and the record and the digest of one of its pairs. */
async function withLog(
  pairs: string,
  index: number,
  work: (log: ReviewLog, record: PairRecord, digest: string) => Promise<void>,
): Promise<void> {
  const log = await ReviewLog.open(pairs);
  try {
    const record = (await recordsOf(pairs))[index] as PairRecord;
    await work(log, record, await pairDigest(pairs, record));
  } finally {
    await log.close();
  }
}

const drop = (pairs: string, index: number) =>
  withLog(pairs, index, (log, record, digest) => log.append(record, digest, { action: 'drop' }));

async function reviewOf(pairs: string, index: number): Promise<PairReview | undefined> {
  return (await reviewsOf(pairs, await recordsOf(pairs))).get(index);
}

const mask = { area: 2, box: { left: 3, top: 0, width: 2, height: 1 } };

describe('the list of reviews', () => {
  it('says what was decided last, and what can be taken back', async () => {
    const pairs = fresh();
    await withLog(pairs, 1, async (log, record, digest) => {
      await log.append(record, digest, { action: 'keep' });
      await log.append(record, digest, { action: 'drop' });
      expect(log.reviewOf(record, digest)).toEqual({ decision: 'drop', undoable: 2 });
      await log.append(record, digest, { action: 'undo', undoes: 2 });
    });
    expect(await reviewOf(pairs, 1)).toEqual({ decision: 'keep', undoable: 1 });
    expect(await reviewOf(pairs, 0)).toBeUndefined();
  });

  it('takes a correction back to the mask before it', async () => {
    const pairs = fresh();
    await withLog(pairs, 2, async (log, record, digest) => {
      await log.correct(record, digest, await pngOf(3, 5), mask);
      await log.correct(record, digest, await pngOf(4, 6), mask);
      await log.append(record, digest, { action: 'keep' });
    });
    const [first, second] = ['corrected/crack/000002_mask-1.png', 'corrected/crack/000002_mask-2.png'];
    expect(await reviewOf(pairs, 2)).toMatchObject({ decision: 'keep', mask: { path: second, area: 2 }, undoable: 3 });
    await withLog(pairs, 2, async (log, record, digest) => {
      await log.append(record, digest, { action: 'undo', undoes: 3 });
      await log.append(record, digest, { action: 'undo', undoes: 2 });
    });
    expect(await reviewOf(pairs, 2)).toMatchObject({ mask: { path: first }, undoable: 1 });
    expect(readFileSync(join(pairs, first))).toEqual(await pngOf(3, 5));
  });

  it.each([1, 20, 60])(
    'ignores a last line of which a kill has left %i bytes, and goes on without it',
    async (bytes) => {
      const pairs = fresh();
      await drop(pairs, 0);
      const whole = readFileSync(listFile(pairs));
      await drop(pairs, 1);
      truncateSync(listFile(pairs), whole.length + bytes);
      expect(await reviewOf(pairs, 0)).toMatchObject({ decision: 'drop' });
      expect(await reviewOf(pairs, 1)).toBeUndefined();
      await drop(pairs, 2);
      expect((await readReviewFile(pairs)).lines.map(({ sequence, index }) => [sequence, index])).toEqual([
        [1, 0],
        [2, 2],
      ]);
    },
  );

  it('keeps a last line that lacks nothing but its end', async () => {
    const pairs = fresh();
    await drop(pairs, 0);
    truncateSync(listFile(pairs), readFileSync(listFile(pairs)).length - 1);
    await drop(pairs, 1);
    expect(await reviewOf(pairs, 0)).toMatchObject({ decision: 'drop' });
    expect(await reviewOf(pairs, 1)).toMatchObject({ decision: 'drop' });
  });

  it('removes the mask that a killed process has left half-written', async () => {
    const pairs = fresh();
    await withLog(pairs, 0, async (log, record, digest) => log.correct(record, digest, await pngOf(0, 1), mask));
    const partial = join(pairs, 'corrected', 'crack', '000001_mask-2.png.partial-4711-0f3a9c21');
    writeFileSync(partial, 'half');
    await drop(pairs, 1);
    expect(existsSync(partial)).toBe(false);
  });

  it('does not decide a pair that was made anew', async () => {
    const pairs = fresh();
    await drop(pairs, 0);
    await drop(pairs, 1);
    const list = readFileSync(listFile(pairs));
    rmSync(pairs, { recursive: true });
    await writePairs(pairs, 3, { level: 91 });
    writeFileSync(listFile(pairs), list);
    expect(await reviewOf(pairs, 0)).toEqual({});
    await drop(pairs, 0);
    expect(await reviewOf(pairs, 0)).toEqual({ decision: 'drop', undoable: 3 });
  });

  it('stays valid in a copy of the folder', async () => {
    const pairs = fresh();
    await drop(pairs, 1);
    const copy = join(folder, 'copy');
    cpSync(pairs, copy, { recursive: true });
    expect(await reviewOf(copy, 1)).toMatchObject({ decision: 'drop' });
  });

  it('drops a pair whose image is gone', async () => {
    const pairs = fresh();
    rmSync(join(pairs, 'test', 'crack', '000001.png'));
    await drop(pairs, 1);
    expect(await reviewOf(pairs, 1)).toMatchObject({ decision: 'drop' });
  });

  it('has one writer at a time', async () => {
    const pairs = fresh();
    const log = await ReviewLog.open(pairs);
    await expectFailure(ReviewLog.open(pairs), 'ERR_BUSY', pairs, String(process.pid));
    await log.close();
    await (await ReviewLog.open(pairs)).close();
  });

  it.each([
    ['{"sequence":1', 'line 1 is not valid JSON'],
    ['{"sequence":1,"index":0,"digest":"x","time":"t","action":"delete"}', 'expected keep, drop, mask or undo'],
    ['{"sequence":0,"index":0,"digest":"x","time":"t","action":"keep"}', 'sequence'],
    ['{"sequence":1,"index":-1,"digest":"x","time":"t","action":"keep"}', 'index'],
    ['{"sequence":1,"index":0,"digest":"x","time":"t","action":"undo"}', 'undoes'],
    ['{"sequence":1,"index":0,"digest":"x","time":"t","action":"mask","mask":{"path":"a.png","area":0}}', 'area'],
    ['null', 'expected keep, drop, mask or undo'],
  ])('is refused for the line %s', async (line, what) => {
    const pairs = fresh();
    writeFileSync(listFile(pairs), `${line}\n`);
    await expectFailure(reviewOf(pairs, 0), 'ERR_FILE_ACCESS', listFile(pairs), 'line 1', what);
  });

  it.each(['../../secret.png', '/etc/passwd', 'corrected/crack/000001_mask-1.png'])(
    'is refused if it names the mask %s, which is not where masks of the pair belong',
    async (path) => {
      const pairs = fresh();
      const digest = await pairDigest(pairs, (await recordsOf(pairs))[0] as PairRecord);
      const line = { sequence: 1, index: 0, digest, time: '', action: 'mask', mask: { path, ...mask } };
      writeFileSync(listFile(pairs), `${JSON.stringify(line)}\n`);
      await expectFailure(reviewOf(pairs, 0), 'ERR_FILE_ACCESS', JSON.stringify(path), '000000_mask-1.png');
    },
  );
});
