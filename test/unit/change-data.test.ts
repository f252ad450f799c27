/** The data of a job that several change at the same time. */
import { Queue } from 'bullmq';
import { expect, it } from 'vitest';
import { changeData } from '../../lib/queue/change-data.js';
import type { JobData } from '../../lib/queue/job-data.js';
import { hurry } from '../../lib/queue/parts.js';
import { PREFIX } from '../../lib/queue/redis.js';
import { expectFailure } from '../helpers/failures.js';
import { TestQueue } from '../helpers/queue.js';

const test = TestQueue.use();

async function openJob() {
  const queue = await test.open();
  const { id } = await test.submit();
  const bull = new Queue<JobData>('jobs', { connection: { port: test.server.port }, prefix: PREFIX });
  const job = async () => {
    const found = await bull.getJob(id);
    if (!found) throw new Error('there is no job');
    return found;
  };
  return { queue, id, bull, job };
}

it('keeps what somebody else has changed between reading and writing', async () => {
  const { queue, id, bull, job } = await openJob();
  const [one, other] = [await job(), await job()];
  let calls = 0;
  const cancelled: Promise<unknown>[] = [];
  const isChanged = await changeData(test.client, one, (data) => {
    calls++;
    if (calls === 1) cancelled.push(changeData(test.client, other, (now) => ({ ...now, cancelled: true })));
    return data.cancelled ? undefined : { ...data, priority: 90 };
  });
  await Promise.all(cancelled);
  const { data } = await job();
  await bull.close();
  expect(data.cancelled).toBe(true);
  expect(await queue.get(id)).toMatchObject({ state: 'cancelled' });
  // Redis has the change before the cancellation, which read the data earlier and must read it again.
  expect([data.priority, isChanged, calls]).toEqual([90, true, 1]);
});

it('loses none of many changes at once', async () => {
  const { bull, job } = await openJob();
  const jobs = await Promise.all(Array.from({ length: 20 }, job));
  await Promise.all(jobs.map((one) => changeData(test.client, one, (now) => ({ ...now, priority: now.priority + 1 }))));
  const { data } = await job();
  await bull.close();
  expect(data.priority).toBe(70);
});

it('says that a job has been removed', async () => {
  const { bull, job } = await openJob();
  const removed = await job();
  await removed.remove();
  await expectFailure(
    changeData(test.client, removed, (data) => data),
    'ERR_JOB_NOT_FOUND',
  );
  await bull.close();
});

it('has the higher of two priorities in the end, whoever tells BullMQ first', async () => {
  const { queue, id, bull, job } = await openJob();
  const [slow, fast] = [await job(), await job()];
  const tell = slow.changePriority.bind(slow);
  let calls = 0;
  slow.changePriority = async (options) => {
    if (calls++ === 0) await hurry(test.client, fast, 90);
    await tell(options);
  };
  await hurry(test.client, slow, 70);
  const { priority } = await job();
  await bull.close();
  expect(await queue.get(id)).toMatchObject({ priority: 90 });
  expect([priority, calls]).toEqual([101 - 90, 2]);
});
