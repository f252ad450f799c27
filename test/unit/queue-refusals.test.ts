/** What becomes of requests when Redis refuses a command, in the words of its versions and settings. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { BullQueue } from '../../lib/queue/bull-queue.js';
import { answerOf } from '../../lib/service/errors.js';
import { expectFailure } from '../helpers/failures.js';
import { RedisServer } from '../helpers/redis.js';
import { type Refuse, RefusingRedis } from '../helpers/refusing-redis.js';
import { scratchFolder } from '../helpers/scratch.js';

let redis: RedisServer;
let proxy: RefusingRedis;
beforeAll(async () => {
  redis = await RedisServer.start(scratchFolder());
  proxy = await RefusingRedis.start(redis.port);
});
afterEach(() => {
  proxy.refuse = () => undefined;
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await redis.stop();
});

const REASONS = [
  "OOM command not allowed when used memory > 'maxmemory'.",
  "READONLY You can't write against a read only replica.",
  'MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.',
  'LOADING Redis is loading the dataset in memory',
  'BUSY Redis is busy running a script.',
];
const always =
  (answer: string): Refuse =>
  () =>
    answer;
const inScripts =
  (answer: string): Refuse =>
  (command) =>
    command.startsWith('eval') ? answer : undefined;

it.each<[string, Refuse]>([
  ...REASONS.map((reason): [string, Refuse] => [reason, always(`-${reason}`)]),
  // Redis 6 words it like this, with the digest of the script.
  ...REASONS.slice(0, 3).map((reason): [string, Refuse] => {
    const refusal = `ERR Error running script (call to f_1d9a): @user_script:7: @user_script: 7: -${reason}`;
    return [refusal, inScripts(`-${refusal}`)];
  }),
  ['an unknown command', always("-ERR unknown command 'SMEMBERS', with args beginning with: ")],
  [
    'an unknown command in a script',
    inScripts('-ERR Unknown Redis command called from script script: 1d9a, on @user_script:1.'),
  ],
  ['a node of a cluster', always('-MOVED 3999 127.0.0.1:6381')],
  ['too many clients', always('-ERR max number of clients reached')],
])('a request that Redis refuses with %s is answered with 503, and the next one is served', async (_, refuse) => {
  await using queue = await BullQueue.open(proxy.url, { maxQueued: 99 });
  const submit = () => queue.submit({ kind: 'check', options: { data: 'metal' }, datasets: {}, priority: 0 });
  const { id } = await submit();
  proxy.refuse = refuse;
  for (const request of [submit, () => queue.cancel(id)]) {
    const failure = await request().then(
      () => new Error('it was not refused'),
      (error: Error) => error,
    );
    expect(answerOf(failure, 'r1')).toMatchObject({ status: 503, error: { code: 'ERR_QUEUE_UNAVAILABLE' } });
  }
  proxy.refuse = () => undefined;
  expect(await queue.cancel(id)).toMatchObject({ state: 'cancelled' });
});

const info = (text: string): Refuse => {
  const answer = `$${text.length}\r\n${text}`;
  return (command) => (command === 'info' ? answer : undefined);
};

it.each([
  ['redis_version:5.0.14', 'expected version 6.2 or newer but found 5.0.14'],
  ['redis_version:6.0.20', 'expected version 6.2 or newer but found 6.0.20'],
  ['redis_version:7.2.4\r\nredis_mode:cluster', 'expected a Redis in the mode standalone but found the mode cluster'],
  ['redis_version:7.2.4\r\nserver_mode:cluster', 'expected a Redis in the mode standalone but found the mode cluster'],
])('a Redis that says %s cannot hold the queue', async (text, message) => {
  proxy.refuse = info(text);
  await expectFailure(BullQueue.open(proxy.url, { maxQueued: 9 }), 'ERR_QUEUE_UNAVAILABLE', message);
});

it.each(['redis_version:6.2.0', 'redis_version:10.0.0\r\nredis_mode:standalone'])(
  'a Redis that says %s can hold the queue',
  async (text) => {
    proxy.refuse = info(text);
    await using queue = await BullQueue.open(proxy.url, { maxQueued: 9 });
    expect(await queue.isPaused()).toBe(false);
  },
);
