/** Measures the service for Prometheus. */
import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Job, JobQueue } from '../queue/job-queue.js';

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
    help: 'Seconds that completed jobs took.',
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

  /** Reports the queue's lengths, and the jobs that end. */
  observeQueue(queue: JobQueue): void {
    new Gauge({
      name: 'dualanodiff_jobs',
      help: 'Jobs in each state.',
      labelNames: ['state'],
      registers: [this.registry],
      async collect() {
        for (const [state, count] of Object.entries(await queue.counts())) this.set({ state }, count);
      },
    });
    queue.onEnd((job) => this.#observe(job));
  }

  /** Reports how long requests take. */
  observeRequests(app: FastifyInstance): void {
    app.addHook('onResponse', async (request, reply) => {
      const labels = { method: request.method, route: request.routeOptions.url ?? 'none', status: reply.statusCode };
      this.#requests.observe(labels, reply.elapsedTime / 1000);
    });
  }

  #observe({ kind, state, started, finished, error }: Job): void {
    if (state === 'failed') this.#failures.inc({ kind, code: error?.code ?? 'ERR_UNEXPECTED' });
    if (state !== 'completed' || started === undefined || finished === undefined) return;
    this.#seconds.observe({ kind }, (Date.parse(finished) - Date.parse(started)) / 1000);
  }
}
