/** What the service tells about those that run the jobs, to clients and to Prometheus. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Job, QueueEvent, RunJob } from '../../lib/queue/job-queue.js';
import type { WorkerDescription } from '../../lib/queue/workers.js';
import { StatusMeter } from '../../lib/worker/worker-status.js';
import { scratchFolder } from '../helpers/scratch.js';
import { openService } from '../helpers/service.js';

const scratch = scratchFolder();
const GB = 1e9;
const shared = { bases: ['sd15'], since: '2026-11-30T10:00:00.000Z', jobs: ['0'.repeat(32)] };
const cpu: WorkerDescription = {
  ...{ ...shared, id: 'a', host: 'plant-1', device: 'cpu', memoryBytes: 64 * GB },
  rates: [{ stage: 'train', unit: 'steps', perSecond: 1.5 }],
};
const gpu: WorkerDescription = {
  ...{ ...shared, id: 'b', host: 'plant-2', device: 'NVIDIA H200', memoryBytes: 140 * GB, gpuUsedBytes: 20 * GB },
  rates: [],
};

describe('the workers of a service', () => {
  it('are listed, and measured for Prometheus', async () => {
    let workers = [cpu, gpu];
    await using made = await openService(join(scratch, 'listed'), { workers: async () => workers });
    expect((await made.app.inject('/v1/workers')).json()).toEqual({ workers: [cpu, gpu] });
    const scrape = async () => (await made.app.inject('/metrics')).body.split('\n');
    const lines = await scrape();
    expect(lines).toContain(
      'dualanodiff_worker_units_per_second{worker="a",host="plant-1",stage="train",unit="steps"} 1.5',
    );
    const memory = 'dualanodiff_worker_gpu_memory_bytes{worker="b",host="plant-2",device="NVIDIA H200",state=';
    expect(lines).toContain(`${memory}"used"} 20000000000`);
    expect(lines).toContain(`${memory}"free"} 120000000000`);
    expect(lines.join()).not.toContain('gpu_memory_bytes{worker="a"');
    workers = [];
    expect((await scrape()).join()).not.toMatch(/dualanodiff_worker_\w+\{/); // Workers that have gone leave nothing.
  });
});

it('the metrics of a service whose queue cannot be reached say so, and those of its requests are there', async () => {
  await using made = await openService(join(scratch, 'unreachable'), { workers: async () => [cpu] });
  const scrape = async () => (await made.app.inject('/metrics')).body.split('\n');
  expect(await scrape()).toEqual(
    expect.arrayContaining(['dualanodiff_queue_reachable 1', 'dualanodiff_jobs{state="queued"} 0']),
  );
  const away = () => Promise.reject(new Error('Connection is closed.'));
  Object.assign(made.queue, { counts: away, workers: away });
  const lines = await scrape();
  expect(lines).toContain('dualanodiff_queue_reachable 0');
  expect(lines.join()).toContain('dualanodiff_http_request_seconds_count{');
  expect(lines.join()).not.toMatch(/dualanodiff_(jobs|worker_\w+)\{/);
});

describe('the meter of a worker', () => {
  const job = { id: '0'.repeat(32) } as Job;
  /** Runs a job that emits these events. */
  async function emit(meter: StatusMeter, ...events: QueueEvent[]): Promise<QueueEvent[]> {
    const told: QueueEvent[] = [];
    const run: RunJob = async (_, { onEvent }) => {
      for (const event of events) onEvent(event as never);
      return {};
    };
    await meter.watch(run)(job, { signal: AbortSignal.timeout(1000), onEvent: (event) => told.push(event) });
    return told;
  }
  const step = (done: number, more: object = {}): QueueEvent => ({
    ...{ event: 'progress', stage: 'train', unit: 'steps', done, total: 1000, ...more },
  });

  it('counts the steps of the last minute, those of resumed jobs without what was done before', async () => {
    let now = 0;
    const meter = new StatusMeter(false, () => now);
    const events = [step(500), step(501), step(530), step(1, { type: 'scratch' }), step(31, { type: 'scratch' })];
    expect(await emit(meter, ...events)).toEqual(events);
    expect(meter.read()).toEqual({ rates: [{ stage: 'train', unit: 'steps', perSecond: 1 }] }); // 30 and 30 in 60 s.
    now = 59_000;
    await emit(meter, step(1), step(7), step(1, { stage: 'import', unit: 'images' }));
    expect(meter.read().rates).toMatchObject([{ perSecond: 1.1 }]);
    now = 61_000;
    expect(meter.read().rates).toMatchObject([{ perSecond: 0.1 }]);
    now = 120_000;
    expect(meter.read()).toEqual({ rates: [] });
  });

  it('counts each step of an evaluation once, and none that an earlier process made', async () => {
    const meter = new StatusMeter(false, () => 0);
    const at = (done: number, row: string, doneBefore = 0) =>
      step(done, { stage: 'evaluate', row, detector: 'unet', seed: 0, doneBefore });
    await emit(meter, at(100, 'none', 100), at(101, 'none', 100), at(102, 'noise', 100), at(103, 'none', 100));
    await emit(meter, at(100, 'none', 100), at(400, 'noise', 400), at(401, 'none', 400));
    expect(meter.read().rates).toMatchObject([{ stage: 'evaluate', perSecond: 4 / 60 }]);
  });
});
