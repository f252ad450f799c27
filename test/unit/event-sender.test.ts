/** Which events of its jobs a worker sends, and together with which others. */
import { expect, it } from 'vitest';
import type { JobEventEntry } from '../../lib/queue/job-events.js';
import type { QueueEvent } from '../../lib/queue/job-queue.js';
import { EventSender } from '../../lib/worker/event-sender.js';

const RUNNING: QueueEvent = { event: 'state', state: 'running' };
const COMPLETED: QueueEvent = { event: 'end', state: 'completed', result: {} };
const NOTE: QueueEvent = { event: 'note', message: 'hello' };

/** The requests of a sender, each with its events as `JOB EVENT`. */
function open() {
  const requests: string[][] = [];
  const append = async (entries: readonly JobEventEntry[]) => {
    requests.push(entries.map(({ id, event }) => `${id} ${'state' in event ? event.state : event.event}`));
  };
  return { sender: new EventSender(append), requests };
}

it('sends the events of several jobs in one request, in their order', () => {
  const { sender, requests } = open();
  const [one, other] = [sender.of('one'), sender.of('other')];
  one(RUNNING);
  other(RUNNING);
  one(NOTE);
  one(COMPLETED);
  other(COMPLETED);
  sender.send();
  sender.send();
  expect(requests).toEqual([['one running', 'other running', 'one note', 'one completed', 'other completed']]);
});

it('leaves out the start of a job that ends before it was sent and tells of nothing else', () => {
  const { sender, requests } = open();
  for (const id of ['one', 'other']) {
    const tell = sender.of(id);
    tell(RUNNING);
    tell(COMPLETED);
  }
  sender.send();
  const slow = sender.of('slow');
  slow(RUNNING);
  sender.send();
  slow(COMPLETED);
  sender.send();
  expect(requests).toEqual([['one completed', 'other completed'], ['slow running'], ['slow completed']]);
});

it('sends by itself after a short time', async () => {
  const { sender, requests } = open();
  sender.of('one')(RUNNING);
  await expect.poll(() => requests).toEqual([['one running']]);
});
