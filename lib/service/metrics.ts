/** Measures the service for Prometheus. */
import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Job, JobQueue } from '../queue/job-queue.js';
import { QueueReader } from './queue-reader.js';

/** Jobs take seconds to hours. */
const JOB_SECONDS = [1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600];

export class Metrics {
  readonly registry = new Registry();
  readonly #requests = new Histogram({
    name: 'dualanodiff_http_request_seconds',
    help: 'Seconds until a request was answered.',
    labelNames: ['method', 'route', 'status'],
    registers: [this.registry],
  });
  readonly #seconds = new Histogram({
    name: 'dualanodiff_job_seconds',
    help: 'Seconds that completed jobs took, and campaigns with the time that they waited.',
    labelNames: ['kind'],
    buckets: JOB_SECONDS,
    registers: [this.registry],
  });
  readonly #failures = new Counter({
    name: 'dualanodiff_job_failures_total',
    help: 'Jobs that failed, by the code of the error.',
    labelNames: ['kind', 'code'],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /**
   * Reports the queue's lengths, the jobs that end, and the workers. While the queue cannot be reached, there are the
   * other metrics, and one that tells so.
   */
  observeQueue(queue: JobQueue): void {
    const reader = new QueueReader(queue);
    new Gauge({
      name: 'dualanodiff_queue_reachable',
      help: 'Whether the queue can be reached, 1 or 0.',
      registers: [this.registry],
      async collect() {
        this.set((await reader.read()) === undefined ? 0 : 1);
      },
    });
    new Gauge({
      name: 'dualanodiff_jobs',
      help: 'Jobs in each state.',
      labelNames: ['state'],
      registers: [this.registry],
      async collect() {
        this.reset();
        const reading = await reader.read();
        for (const [state, count] of Object.entries(reading?.counts ?? {})) this.set({ state }, count);
      },
    });
    queue.onEnd((job) => this.#observe(job));
    this.#observeWorkers(reader);
  }

  /** Reports how fast the workers are, and the memory of their GPUs. */
  #observeWorkers(reader: QueueReader): void {
    new Gauge({
      name: 'dualanodiff_worker_units_per_second',
      help: 'Units that a stage of the jobs does in a second, over the last minute: steps in training, pairs in sampling.',
      labelNames: ['worker', 'host', 'stage', 'unit'],
      registers: [this.registry],
      async collect() {
        this.reset();
        const { workers = [] } = (await reader.read()) ?? {};
        for (const { id: worker, host, rates } of workers) {
          for (const { stage, unit, perSecond } of rates) this.set({ worker, host, stage, unit }, perSecond);
        }
      },
    });
    new Gauge({
      name: 'dualanodiff_worker_gpu_memory_bytes',
      help: 'Memory of the GPU of each worker that has one, used and free.',
      labelNames: ['worker', 'host', 'device', 'state'],
      registers: [this.registry],
      async collect() {
        this.reset();
        const { workers = [] } = (await reader.read()) ?? {};
        for (const { id: worker, host, device, memoryBytes, gpuUsedBytes } of workers) {
          if (gpuUsedBytes === undefined) continue;
          this.set({ worker, host, device, state: 'used' }, gpuUsedBytes);
          this.set({ worker, host, device, state: 'free' }, memoryBytes - gpuUsedBytes);
        }
      },
    });
  }

  /** Reports how long requests take. */
  observeRequests(app: FastifyInstance): void {
    app.addHook('onResponse', async (request, reply) => {
      const labels = { method: request.method, route: request.routeOptions.url ?? 'none', status: reply.statusCode };
      this.#requests.observe(labels, reply.elapsedTime / 1000);
    });
  }

  #observe({ kind, state, created, started, finished, error }: Job): void {
    if (state === 'failed') this.#failures.inc({ kind, code: error?.code ?? 'ERR_UNEXPECTED' });
    const from = kind === 'campaign' ? created : started; // Each step of a campaign on a queue is a start.
    if (state !== 'completed' || from === undefined || finished === undefined) return;
    this.#seconds.observe({ kind }, (Date.parse(finished) - Date.parse(from)) / 1000);
  }
}
