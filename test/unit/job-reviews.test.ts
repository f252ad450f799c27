/** How long the reviews of jobs stay open in the service, and what they leave when they are closed. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../lib/queue/job-queue.js';
import { openSession } from '../../lib/review/review.js';
import { JobReviews } from '../../lib/service/job-reviews.js';
import { expectFailure } from '../helpers/failures.js';
import { endedJob, pairsOf, runWithPairs } from '../helpers/job-pairs.js';
import { pngOf } from '../helpers/reviewing.js';
import { scratchFolder } from '../helpers/scratch.js';
import { openService, type TestService } from '../helpers/service.js';

const scratch = scratchFolder();
let made: TestService;

beforeAll(async () => {
  made = await openService(join(scratch, 'service'), { run: runWithPairs(() => made.store, scratch) });
});
afterAll(() => made[Symbol.asyncDispose]());

const newJob = (kind?: 'generate' | 'check') => endedJob(made, kind);
const filesOf = (job: Job) => pairsOf(made, job);
const settings = (name: string) => ({
  ...{ store: made.store, queue: made.queue, workFolder: join(scratch, name), onNote() {} },
});
/** A stream of events to a page. */
const stream = () => {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  response.write = () => true;
  return response;
};

describe('open reviews', () => {
  it('are closed when nobody has used them for ten minutes, and are opened again', async () => {
    const job = await newJob();
    let time = 0;
    const notes: string[] = [];
    await using reviews = new JobReviews({
      ...{ store: made.store, queue: made.queue, workFolder: join(scratch, 'work') },
      ...{ onNote: (note) => notes.push(note), now: () => time },
    });
    const first = await reviews.open(job.id);
    expect((await reviews.open(job.id)).session).toBe(first.session);
    time += 9 * 60_000;
    await reviews.closeUnused();
    await expectFailure(openSession({ dir: filesOf(job) }), 'ERR_BUSY', 'is in use');
    await reviews.open(job.id);
    time += 10 * 60_000;
    const closing = reviews.closeUnused();
    const again = reviews.open(job.id); // It waits until the folder is free.
    await closing;
    expect((await again).session).not.toBe(first.session);
    time += 10 * 60_000;
    await reviews.closeUnused();
    await (await openSession({ dir: filesOf(job) })).close();
    expect(notes).toEqual([]);
  });

  it('stay open for ten minutes after the last page, however long that was open', async () => {
    const job = await newJob();
    let time = 0;
    await using reviews = new JobReviews({ ...settings('pages'), now: () => time });
    const { session, streams } = await reviews.open(job.id);
    const page = stream();
    streams.add(page, 0);
    time += 60 * 60_000;
    await reviews.closeUnused();
    page.emit('close');
    time += 9 * 60_000;
    await reviews.closeUnused();
    expect((await reviews.open(job.id)).session).toBe(session);
  });

  it('count ten minutes from when they were there, and not from when they were asked for', async () => {
    const job = await newJob();
    let time = 0;
    const get = async () => {
      time += 60 * 60_000;
      return job;
    };
    await using reviews = new JobReviews({ ...settings('long'), queue: { get }, now: () => time });
    const { session } = await reviews.open(job.id);
    await reviews.closeUnused();
    expect((await reviews.open(job.id)).session).toBe(session);
  });

  it('are not kept by a page that has gone before it was served', async () => {
    const job = await newJob();
    await using reviews = new JobReviews(settings('gone'));
    const { streams } = await reviews.open(job.id);
    const gone = stream();
    gone.destroy();
    streams.add(gone, 0);
    expect(streams.size).toBe(0);
    reviews.endStreams();
    const late = stream();
    streams.add(late, 0);
    expect([streams.size, late.writableEnded]).toEqual([0, true]);
  });

  it('leave the folder free if something fails after it was locked', async () => {
    const job = await newJob();
    const thumbnails = join(filesOf(job), '.review', 'thumbnails');
    mkdirSync(join(filesOf(job), '.review'));
    writeFileSync(thumbnails, 'no folder');
    await using reviews = new JobReviews(settings('locked'));
    await expectFailure(reviews.open(job.id), 'ERR_FILE_ACCESS', 'thumbnails');
    await (await openSession({ dir: filesOf(job) })).close();
  });

  it('write nothing after they were closed', async () => {
    const job = await newJob();
    const reviews = new JobReviews(settings('closed'));
    const { session, thumbnails } = await reviews.open(job.id);
    await reviews[Symbol.asyncDispose]();
    await expectFailure(session.decide(0, 'drop', ''), 'ERR_REVIEW_ENDED', 'load the page again');
    await expectFailure(session.correct(0, await pngOf(0, 7), ''), 'ERR_REVIEW_ENDED');
    await expectFailure(session.undo(0, 1, ''), 'ERR_REVIEW_ENDED');
    await expectFailure(
      thumbnails.get(0, 'image', () => false),
      'ERR_REVIEW_ENDED',
    );
    expect(existsSync(join(filesOf(job), 'reviews.jsonl'))).toBe(false);
    expect(existsSync(join(filesOf(job), '.review', 'thumbnails'))).toBe(false);
  });

  it('make room for other pairs, but not for jobs that have none', async () => {
    const [job, other, check] = [await newJob(), await newJob(), await newJob('check')];
    await using reviews = new JobReviews({ ...settings('room'), maxOpen: 1 });
    const { session, streams } = await reviews.open(job.id);
    await expectFailure(reviews.open(check.id), 'ERR_NOT_FOUND');
    await expectFailure(reviews.open('0'.repeat(32)), 'ERR_JOB_NOT_FOUND');
    expect((await reviews.open(job.id)).session).toBe(session);
    const page = stream();
    streams.add(page, 0);
    await expectFailure(reviews.open(other.id), 'ERR_BUSY', '1 reviews are open');
    page.emit('close');
    await reviews.open(other.id);
    expect((await reviews.open(job.id)).session).not.toBe(session);
  });

  it('are not waited for any longer than a moment', async () => {
    const job = await newJob();
    let go = () => {};
    const asked = new Promise<void>((resolve) => {
      go = resolve;
    });
    await using reviews = new JobReviews({
      ...{ store: made.store, queue: { get: () => asked.then(() => job) } },
      ...{ workFolder: join(scratch, 'slow'), onNote() {}, openMs: 10 },
    });
    await expectFailure(reviews.open(job.id), 'ERR_NOT_READY', 'try again in a moment');
    go();
    await expect
      .poll(() =>
        reviews.open(job.id).then(
          ({ session }) => session.size,
          () => 0,
        ),
      )
      .toBe(3);
  });

  it('end with the service', async () => {
    const job = await newJob();
    const reviews = new JobReviews({
      ...{ store: made.store, queue: made.queue, workFolder: join(scratch, 'work'), onNote() {} },
    });
    await reviews.open(job.id);
    await reviews[Symbol.asyncDispose]();
    await (await openSession({ dir: filesOf(job) })).close();
    await expectFailure(reviews.open(job.id), 'ERR_NOT_READY', 'stopping');
  });
});
